"""Find requirements that are listed, but not in the lock yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from azureml_jobs.base.credentials import without_credentials
from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.lock import Lock, canonical_name


@dataclass(frozen=True)
class ListedRequirement:
    """`text` is as listed, e.g. `numpy>=2,<3`; `allows` returns whether it allows a version."""

    name: str
    text: str
    allows: Callable[[str], bool]


def stale_lock(
    path: str,
    resolve: str,
    lists: Sequence[str],
    lock: Lock | None,
    requirements: Sequence[ListedRequirement],
) -> JobError | None:
    """Return the error that no locked package meets some requirements, or None.

    `path` is that of the lock, `lists` are the files with the requirements of its resolve. Without
    a readable lock, whatever installs from it reports that.
    """
    if lock is None:
        return None
    versions = lock.versions()
    unmet = sorted(
        without_credentials(each.text)
        for each in requirements
        if not any(each.allows(version) for version in versions.get(canonical_name(each.name), ()))
    )
    if not unmet:
        return None
    where = " or ".join(lists) or "a BUILD file"
    return JobError(
        path,
        f"it does not have {', '.join(unmet)}, which {where} lists",
        f"Update the lock: `./pants sync-lockfiles --resolve={resolve}`.",
    )

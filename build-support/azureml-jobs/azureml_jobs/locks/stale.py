"""Requirements that were listed after their lock was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.lock import Lock, canonical_name


@dataclass(frozen=True)
class ListedRequirement:
    """`text` as it is listed, e.g. `numpy>=2,<3`; `allows` says whether a version will do."""

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
    """What to tell of requirements that no locked package meets; None when there are none.

    `path` is the lock's, `lists` are the files that list the packages of its resolve. A lock that
    is none is told of by what installs from it.
    """
    if lock is None:
        return None
    versions = lock.versions()
    lacking = sorted(
        each.text
        for each in requirements
        if not any(each.allows(version) for version in versions.get(canonical_name(each.name), ()))
    )
    if not lacking:
        return None
    where = " or ".join(lists) or "a BUILD file"
    return JobError(
        path,
        f"it does not have {', '.join(lacking)}, which {where} lists",
        f"Bring the lock in line: `./pants sync-lockfiles --resolve={resolve}`.",
    )

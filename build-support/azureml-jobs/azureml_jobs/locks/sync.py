"""Check what locks are synced with, and write them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from azureml_jobs.base.credentials import credentials_errors
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import write_file
from azureml_jobs.base.nearest import nearest
from azureml_jobs.locks.lock import Lock, read_lock


def check_names(asked: Iterable[str], resolves: Collection[str]) -> tuple[str, ...]:
    """Return the resolves that are asked for, or all; raise `JobError` for an unknown one."""
    names = tuple(dict.fromkeys(asked)) or tuple(resolves)
    for name in names:
        if name not in resolves:
            close = nearest(name, resolves)
            first = [close] if close else []
            valid = ", ".join([*first, *sorted(set(resolves) - {close})])
            raise JobError(
                f"--resolve={name}",
                "there is no such resolve",
                f"Write one of these: {valid}. How to add one: docs/environments.md.",
            )
    return names


def check_requirements(where: str, resolve: str, requirements: Collection[str]) -> None:
    """Raise `JobError` if there is nothing to lock, and for credentials in an address."""
    errors = credentials_errors(where, sorted(requirements))
    if errors:
        raise errors[0]
    if not requirements:
        raise JobError(
            where,
            f"the resolve `{resolve}` has no requirements",
            "Add a package to its list. The list needs a target, such as "
            f'`locked_packages("{resolve}")` in 3rdparty/python/BUILD.',
        )


def parse_old(path: str, resolve: str, text: str) -> Lock | None:
    """Return the present lock, None if there is none yet; raise `JobError` if it is broken."""
    if not text.strip():
        return None
    lock = read_lock(text)
    if lock is None:
        raise JobError(
            path,
            "this is not a lock that can be synced",
            f"Restore it from git; in a merge, take one side: `git checkout --theirs {path}`. Then "
            f"sync again. `./pants generate-lockfiles --resolve={resolve}` makes a new one, "
            "with the newest releases of everything.",
        )
    return lock


def write_locks(root: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files below `root`, each in one step."""
    for path, content in contents.items():
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            write_file(root / path, content)
        except OSError as error:
            raise OutsideError(path, f"it could not be written: {error.strerror}") from error

"""Check what locks are synced with, let uv choose versions, and write the locks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from azureml_jobs.base.credentials import credentials_errors, without_credentials
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import write_file
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.locks.lock import Lock, read_lock


def check_names(asked: Iterable[str], resolves: Collection[str]) -> tuple[str, ...]:
    """Return the resolves that are asked for, or all; raise `JobError` for an unknown one."""
    names = tuple(dict.fromkeys(asked)) or tuple(resolves)
    for name in names:
        if name not in resolves:
            valid = suggestion(name, sorted(resolves))
            remedy = f"{valid} How to add one: docs/environments.md."
            raise JobError(f"--resolve={name}", "there is no such resolve", remedy)
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


REQUIREMENTS_FILE = "requirements.in"
VERSIONS_FILE = "versions.txt"
# The systems of a lock: those for which Pants makes locks.
_SYSTEMS = ("linux", "darwin")


def input_files(
    old: Lock | None, requirements: Iterable[str], pythons: Iterable[str]
) -> dict[str, str]:
    """Return the files that `uv pip compile` reads; `pythons` are such as `3.11`."""
    environments = [
        f"\"python_version == '{python}' and sys_platform == '{system}'\""
        for python in pythons
        for system in _SYSTEMS
    ]
    return {
        REQUIREMENTS_FILE: "".join(f"{each}\n" for each in requirements),
        VERSIONS_FILE: "".join(f"{pin}\n" for pin in (old.pins if old else ())),
        "pyproject.toml": f"[tool.uv]\nenvironments = [{', '.join(environments)}]\n",
    }


def constraints(versions: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return the constraints for pex that hold the versions which uv wrote.

    A marker stays only where a package has several versions: pex decides itself for which systems
    it locks a package. Left out are packages from a URL, and constraints that the user has `given`:
    in the lock these could not be told apart.
    """
    lines = [line.partition(" ;") for line in versions.splitlines() if "==" in line.split(";")[0]]
    count = Counter(pin.partition("==")[0] for pin, _, _ in lines)
    held = (
        pin if count[pin.partition("==")[0]] == 1 else f"{pin};{marker}" for pin, _, marker in lines
    )
    return tuple(each for each in held if each not in set(given))


# How uv begins its report when the requirements are the reason.
_NO_SOLUTION = "No solution found"
# pex puts this before each line of pip's. The line above holds pip's command, with the index's URL.
_PIP = "pip: "


def choice_error(where: str, resolve: str, output: str) -> JobError:
    """Return the error for the output of a failed uv; `where` names the requirements."""
    # Hints are about options of uv.
    report = without_credentials(output).partition("\nhint:")[0].replace("  cause: ", "  ")
    first, _, reasons = report.partition("\n")
    if _NO_SOLUTION in first:
        return JobError(
            where,
            "no versions satisfy these requirements",
            f"{reasons.rstrip()}\n\nChange one of them. An experiment that needs other versions "
            "than the rest gets its own resolve: docs/environments.md.",
        )
    return OutsideError(
        where,
        f"the packages of the resolve `{resolve}` could not be chosen",
        f"uv reports:\n  {first}\n{reasons.rstrip()}",
    )


def lock_error(where: str, resolve: str, output: str) -> OutsideError:
    """Return the error for the output of a failed pex."""
    lines = without_credentials(output).strip().splitlines()
    pip_lines = [line.removeprefix(_PIP) for line in lines if line.startswith(_PIP)]
    reason = "\n".join(f"  {line}" for line in (pip_lines or lines)[-12:])
    return OutsideError(
        where,
        f"the packages of the resolve `{resolve}` could not be locked",
        f"pip reports:\n{reason}",
    )

"""Let uv choose versions for a lock: what it gets, and the constraints that come of it.

uv keeps the versions in its output file where the requirements allow them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from azureml_jobs.locks.lock import Lock

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

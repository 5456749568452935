"""Check the name of a new experiment, and suggest a valid one."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath

from azureml_jobs.base.errors import JobError

# The name is that of a Python package, of an image, and part of a job's name on Azure ML.
_PART = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# With a longer name, an import would not fit into the 100 columns that black and flake8 allow.
_LONGEST = 60
# Python 3.12 added `type`.
_KEYWORDS = frozenset({*keyword.kwlist, *keyword.softkwlist, "type"})
# Azure's packages install themselves into a common folder.
_ALWAYS_TAKEN = {
    **dict.fromkeys(("azure", "azureml"), "Azure's packages"),
    **dict.fromkeys((*sys.stdlib_module_names, "test"), "Python's standard library"),
}


def option(name: str) -> str:
    """Return the option as it was typed, printable in a message."""
    return f"--name={name if name.isprintable() else ascii(name)}"


def parse_name(name: str | None, source_root: str, taken: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders below `source_root` that the experiment's `name` stands for.

    `taken` maps top-level modules that imports find elsewhere to their owners. Raises `JobError`
    with a valid name to write instead.
    """
    if not name:
        raise JobError(
            "new-experiment",
            "missing --name",
            "Write `./pants new-experiment --name=my_experiment`, or `--name=team/my_experiment` "
            "for one in a folder with others.",
        )
    reserved = _reserved_modules(source_root, taken)
    problem = _problem(name, reserved)
    if problem:
        instead = _suggestion(name, source_root, reserved)
        raise JobError(option(name), problem, f"Write `--name={instead}`, for example.")
    return tuple(name.split("/"))


def _reserved_modules(source_root: str, taken: Mapping[str, str]) -> dict[str, str]:
    """Return the top-level modules that an experiment cannot have, with the reason."""
    # Many disks do not distinguish `pil` from `PIL`.
    owners = {**{module.lower(): owner for module, owner in taken.items()}, **_ALWAYS_TAKEN}
    reasons = {
        module: f"`{module}` is also a module of {owner}, and imports would find only one of them"
        for module, owner in owners.items()
    }
    return {**reasons, PurePosixPath(source_root).name: f"names are relative to `{source_root}`"}


def _problem(name: str, reserved: Mapping[str, str]) -> str:
    parts = name.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        return (
            "this is not a package name: lower-case letters, digits and single underscores between "
            "them, a letter first, and `/` between folders"
        )
    for part in parts:
        if part in _KEYWORDS:
            return f"`{part}` is a keyword of Python"
    if len(name) > _LONGEST:
        return f"it has {len(name)} characters, more than {_LONGEST}"
    return reserved.get(parts[0], "")


def _suggestion(name: str, source_root: str, reserved: Mapping[str, str]) -> str:
    """Return the valid name that is nearest to `name`."""
    if re.fullmatch(r"\w+(\.\w+)+", name):
        name = name.replace(".", "/")
    parts = [part for part in map(_as_package_name, name.split("/")) if part]
    if len(parts) > 1 and parts[0] == PurePosixPath(source_root).name:
        del parts[0]
    parts = [
        f"{part}_experiment" if part in _KEYWORDS or (not above and part in reserved) else part
        for above, part in enumerate(parts)
    ]
    return "/".join(parts)[:_LONGEST].rstrip("/_") or "my_experiment"


def _as_package_name(part: str) -> str:
    # MyExp and HTTPServer are two words each.
    part = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", part)
    ascii_only = unicodedata.normalize("NFKD", part.casefold()).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")
    return f"experiment_{plain}" if plain[:1].isdigit() else plain

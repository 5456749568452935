"""The name of a new experiment: which ones serve, and what to write instead of the others."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from azureml_jobs.base.errors import JobError
from azureml_jobs.experiment.standard_library import STANDARD_LIBRARY

# The name is that of a Python package, of an image, and part of a job's name on Azure ML.
_PART = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# With it an import line still fits into 100 columns, as black and flake8 want it.
_LONGEST = 60
# `keyword.softkwlist` is that of Pants' Python, which is older than that of experiments.
_KEYWORDS = frozenset({*keyword.kwlist, "case", "match", "type"})
# Folders of packages that install themselves into a common one.
_NAMESPACES = {"azure": "Azure's packages", "azureml": "Azure's packages"}


@dataclass(frozen=True)
class ExperimentName:
    """`team/x`, as parts."""

    parts: tuple[str, ...]

    @property
    def path(self) -> str:
        """The folder below the source root."""
        return "/".join(self.parts)

    @property
    def module(self) -> str:
        return ".".join(self.parts)

    @property
    def label(self) -> str:
        """The name of the experiment on Azure ML, which takes no slash."""
        return "-".join(self.parts)


def option(name: str) -> str:
    """The option as it was typed, for a message."""
    return f"--name={name if name.isprintable() else ascii(name)}"


def parse_name(name: str | None, taken: Mapping[str, str], source_root: str) -> ExperimentName:
    """Return the parts of `name`.

    `taken` says of top-level modules that an import finds elsewhere what they belong to. Raises
    `JobError`, with a name to write instead, when `name` cannot be that of a package below
    `source_root`.
    """
    if not name:
        raise JobError(
            "new-experiment",
            "no name is given",
            "Write `./pants new-experiment --name=my_experiment`, or `--name=team/my_experiment` "
            "for one in a folder with others.",
        )
    mistake = _mistake(name, taken, source_root)
    if mistake:
        instead = suggested_name(name, taken, source_root)
        raise JobError(option(name), mistake, f"Write `--name={instead}`, for example.")
    return ExperimentName(tuple(name.split("/")))


def suggested_name(name: str, taken: Mapping[str, str], source_root: str) -> str:
    """Return the valid name that is nearest to `name`. There may be such an experiment already."""
    if re.fullmatch(r"\w+(\.\w+)+", name):
        name = name.replace(".", "/")
    parts = [part for part in map(_plain, name.split("/")) if part]
    if len(parts) > 1 and parts[0] == _first(source_root):
        del parts[0]
    parts = [f"{part}_experiment" if part in _KEYWORDS else part for part in parts]
    if parts and (parts[0] == _first(source_root) or _owner(parts[0], taken)):
        parts[0] += "_experiment"
    return "/".join(parts)[:_LONGEST].rstrip("/_") or "my_experiment"


def _mistake(name: str, taken: Mapping[str, str], source_root: str) -> str:
    """What is wrong with `name`, or nothing."""
    parts = name.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        return (
            "this is not a package name: lower-case letters, digits and single underscores between "
            "them, a letter first, and `/` between folders"
        )
    if parts[0] == _first(source_root):
        return f"names are relative to `{source_root}` already"
    for part in parts:
        if part in _KEYWORDS:
            return f"`{part}` is a keyword of Python"
    owner = _owner(parts[0], taken)
    if owner:
        return f"`{parts[0]}` is also a module of {owner}, and imports would find only one of them"
    if len(name) > _LONGEST:
        return f"it has {len(name)} characters, and {_LONGEST} are the most"
    return ""


def _owner(module: str, taken: Mapping[str, str]) -> str:
    if module in STANDARD_LIBRARY:
        return "Python's standard library"
    # On many disks `pil` and `PIL` are one folder.
    for name, owner in taken.items():
        if name.lower() == module:
            return owner
    return _NAMESPACES.get(module, "")


def _first(source_root: str) -> str:
    return PurePosixPath(source_root).name


def _plain(part: str) -> str:
    """`part` in lower-case ASCII letters, digits and underscores, with a letter first."""
    # MyExp and HTTPServer are two words each.
    part = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", part)
    ascii_only = unicodedata.normalize("NFKD", part.casefold()).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")
    return f"experiment_{plain}" if plain[:1].isdigit() else plain

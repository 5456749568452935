"""Locks of pex, as Pants writes them: a header in comment lines, then JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What says nothing of how the packages of a lock were chosen.
_NO_SETTINGS = ("constraints", "locked_resolves", "path_mappings", "pex_version", "requirements")


@dataclass(frozen=True)
class Pin:
    """The version that a lock has of a package; `marker` is that of a part of a split lock."""

    name: str
    version: str
    marker: str | None = None

    def __str__(self) -> str:
        """The line of a constraints file, as pex writes it into a lock again."""
        pinned = f"{self.name}=={self.version}"
        return f"{pinned}; {self.marker}" if self.marker else pinned


class Lock:
    """What a lock holds. Raises `ValueError` for text that is no lock of pex."""

    def __init__(self, text: str) -> None:
        # Only Pants' own notes begin so.
        lines = (line for line in text.splitlines() if not line.startswith("//"))
        try:
            self.content: dict[str, Any] = json.loads("\n".join(lines))
            self.pins = tuple(
                Pin(package["project_name"], package["version"], part.get("marker"))
                for part, package in self._packages()
            )
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"no lock of pex: {error}") from error

    def _packages(self) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
        for part in self.content["locked_resolves"]:
            for package in part["locked_requirements"]:
                yield part, package

    def versions(self) -> dict[str, tuple[str, ...]]:
        """The versions of each package by its name: one, but for a split lock."""
        found: dict[str, set[str]] = {}
        for pin in self.pins:
            found.setdefault(pin.name, set()).add(pin.version)
        return {name: tuple(sorted(versions)) for name, versions in sorted(found.items())}

    def files(self) -> dict[tuple[str, str], frozenset[str]]:
        """The hashes of the files of each name and version."""
        return {
            (package["project_name"], package["version"]): _hashes(package)
            for _, package in self._packages()
        }

    def keeping(self, old: Lock | None, pins: Iterable[Pin]) -> str:
        """The JSON of this lock, with what is the same in `old` word for word.

        An index may list more files of a release than it did, and another machine lists them in
        another order: neither is a reason to change what is locked. Other settings are, such as
        other Pythons. `pins` were given to pex as constraints; they are not written down as such.
        """
        added = {str(pin) for pin in pins}
        self.content["constraints"] = [
            each for each in self.content["constraints"] if each not in added
        ]
        if old is not None and self._settings() == old._settings():
            before = {
                (str(part.get("marker")), package["project_name"]): package
                for part, package in old._packages()
            }
            for part in self.content["locked_resolves"]:
                part["locked_requirements"] = [
                    _same(package, before.get((str(part.get("marker")), package["project_name"])))
                    for package in part["locked_requirements"]
                ]
        return json.dumps(self.content, indent=2, sort_keys=True) + "\n"

    def _settings(self) -> dict[str, Any]:
        return {key: value for key, value in self.content.items() if key not in _NO_SETTINGS}


def read_lock(text: str) -> Lock | None:
    """The lock; None when the text is none."""
    try:
        return Lock(text)
    except ValueError:
        return None


def locked_projects(text: str) -> frozenset[str]:
    """Names of all packages that a lock holds; none when it is not a lock of pex.

    What is wrong with a lock is told by the commands that install from it.
    """
    lock = read_lock(text)
    return frozenset(lock.versions()) if lock else frozenset()


def canonical_name(name: str) -> str:
    """One spelling for all that mean the same package: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _hashes(package: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(f"{file['algorithm']}:{file['hash']}" for file in package["artifacts"])


def _same(new: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
    """`old` when it is the same release. Of one that has no file in common this is not known."""
    if old is None or new["version"] != old["version"] or not _hashes(new) & _hashes(old):
        return new
    return old

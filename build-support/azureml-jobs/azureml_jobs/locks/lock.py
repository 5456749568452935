"""Read locks of pex as Pants writes them; compare them with each other and with requirements."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.credentials import without_credentials
from azureml_jobs.base.errors import JobError

# What does not affect how the packages of a lock are chosen.
_NO_SETTINGS = ("constraints", "locked_resolves", "path_mappings", "pex_version", "requirements")


@dataclass(frozen=True)
class Pin:
    """The locked version of a package; `marker` is that of its part in a split lock."""

    name: str
    version: str
    marker: str | None = None

    def __str__(self) -> str:
        """Return the line of a requirements file."""
        pinned = f"{self.name}=={self.version}"
        return f"{pinned}; {self.marker}" if self.marker else pinned


class Lock:
    """The content of a lock. Raises `ValueError` for text that is not a lock of pex."""

    def __init__(self, text: str) -> None:
        # The header of Pants.
        lines = (line for line in text.splitlines() if not line.startswith("//"))
        try:
            self.content: dict[str, Any] = json.loads("\n".join(lines))
            self.pins = tuple(
                Pin(package["project_name"], package["version"], part.get("marker"))
                for part, package in self._packages()
            )
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"not a lock of pex: {error}") from error

    def _packages(self) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
        for part in self.content["locked_resolves"]:
            for package in part["locked_requirements"]:
                yield part, package

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Return the versions of each package by its name: one, except in a split lock."""
        found: dict[str, set[str]] = {}
        for pin in self.pins:
            found.setdefault(pin.name, set()).add(pin.version)
        return {name: tuple(sorted(versions)) for name, versions in sorted(found.items())}

    def files(self) -> dict[tuple[str, str], frozenset[str]]:
        """Return the hashes of the files by name and version."""
        return {
            (package["project_name"], package["version"]): _hashes(package)
            for _, package in self._packages()
        }

    def keeping(self, old: Lock | None, constraints: Collection[str]) -> str:
        """Return the JSON of this lock, with the entries of `old` for the same releases.

        An index may list more files of a release by now, or in another order: neither changes the
        lock. Other settings do, such as other Pythons. `constraints` are those that pex got in
        addition to the user's; the JSON is without them.
        """
        added = {each.partition(";")[0] for each in constraints}
        self.content["constraints"] = [
            each for each in self.content["constraints"] if each.partition(";")[0] not in added
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
    """Return the lock, or None if the text is not one."""
    try:
        return Lock(text)
    except ValueError:
        return None


def locked_projects(text: str) -> frozenset[str]:
    """Return the names of all packages in a lock; none if the text is not a lock of pex.

    Commands that install from a lock report what is wrong with it.
    """
    lock = read_lock(text)
    return frozenset(lock.versions()) if lock else frozenset()


def canonical_name(name: str) -> str:
    """Return the spelling of PEP 503, which is the same for all spellings of a package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _hashes(package: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(f"{file['algorithm']}:{file['hash']}" for file in package["artifacts"])


def _same(new: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
    """Return `old` if it is the same release: of the same version, with a common file."""
    if old is None or new["version"] != old["version"] or not _hashes(new) & _hashes(old):
        return new
    return old


_Versions = Mapping[str, tuple[str, ...]]


def describe_changes(path: str, old: Lock | None, new: Lock) -> str:
    """Return one line for each package that was added, removed or moved to another version."""
    before: _Versions = old.versions() if old else {}
    after = new.versions()
    old_files = old.files() if old else {}
    new_files = new.files()
    lines = [f"  added    {name} {_joined(after[name])}" for name in after if name not in before]
    lines += [f"  removed  {name} {_joined(before[name])}" for name in before if name not in after]
    shared = [name for name in after if name in before]
    lines += [
        f"  moved    {name} {_joined(before[name])} -> {_joined(after[name])}"
        for name in shared
        if before[name] != after[name]
    ]
    # A release whose files were replaced under the same version.
    lines += [
        f"  changed  {name} {version}: its files are other ones than before"
        for name, version in new_files
        if not new_files[name, version] & old_files.get((name, version), new_files[name, version])
    ]
    same = sum(1 for name in shared if before[name] == after[name])
    if not lines:
        return f"{path}: all {same} packages stay as they are."
    kept = f"; {same} {'stays as it is' if same == 1 else 'stay as they are'}" if old else ""
    return "\n".join([f"{path}: {'changed' if old else 'new'}{kept}", *lines])


def _joined(versions: tuple[str, ...]) -> str:
    return " and ".join(versions)


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

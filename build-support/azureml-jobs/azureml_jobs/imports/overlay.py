"""The snapshot as it would be if everything were sent: which file has which name in it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listing:
    """What one folder of the snapshot holds: the path of each file by its name, and folders."""

    files: Mapping[str, str]
    folders: frozenset[str]


NOTHING = Listing({}, frozenset())


@dataclass
class Overlay:
    """Lays the code folder over the source roots.

    A file in the code folder has its name relative to that folder and no other; any other file, its
    name relative to the innermost source root that holds it.

    code: the repository path of the code folder, or of the only file; None without local code.
    is_file: whether `code` is a file.
    """

    code: str | None
    roots: tuple[str, ...]
    is_file: bool = False
    # What is known of the repository: its folders, each with the names in it; folders end with "/".
    entries: dict[str, set[str]] = field(default_factory=dict)
    _listings: dict[str, Listing] = field(default_factory=dict)

    def name_of(self, path: str) -> str:
        """Return the name that a file of the repository has in the snapshot."""
        base = self._base_of(path)
        if base is None or not base:
            return path
        if base == path:
            return posixpath.basename(path)
        return path[len(base) + 1 :]

    def listing(self, folder: str, unknown: set[str]) -> Listing | None:
        """Return what a folder of the snapshot holds.

        Returns None and adds to `unknown` the folders of the repository that must be listed first.
        """
        found = self._listings.get(folder)
        if found is None and not leads_out(folder):
            missing = [each for each in self._folders(folder) if not self._is_known(each)]
            if missing:
                unknown.update(missing)
                return None
            found = self._listings[folder] = self._merged(folder)
        return found or NOTHING

    def add(self, folders: Iterable[str], existing: Iterable[str]) -> None:
        """Learn what is in folders of the repository: the answer to `folder/*` for each."""
        for folder in folders:
            self.entries[folder] = set()
        for path in existing:
            parent, name = posixpath.split(path.rstrip("/"))
            if parent in self.entries:
                self.entries[parent].add(f"{name}/" if path.endswith("/") else name)

    def _is_known(self, folder: str) -> bool:
        """Return whether it is known what the folder holds: nothing, when it does not exist."""
        if folder not in self.entries and folder:
            parent, name = posixpath.split(folder)
            if f"{name}/" not in self.entries.get(parent, {f"{name}/"}):
                self.entries[folder] = set()
        return folder in self.entries

    def _folders(self, folder: str) -> Iterator[str]:
        """Yield the folders of the repository that are `folder` in the snapshot, best first."""
        bases = self.roots if self.code is None or self.is_file else (self.code, *self.roots)
        for base in dict.fromkeys(bases):
            path = posixpath.normpath(posixpath.join(base, folder))
            path = "" if path == "." else path
            if self._base_of(posixpath.join(path, "*")) == base:
                yield path

    def _base_of(self, path: str) -> str | None:
        """Return the folder of the repository to which the name of a file is relative."""
        if self.code is not None and is_in(path, self.code):
            return self.code
        around = [root for root in self.roots if is_in(path, root)]
        return max(around, key=len, default=None)

    def _merged(self, folder: str) -> Listing:
        files: dict[str, str] = {}
        folders: set[str] = set()
        if self.is_file and self.code and folder == "":
            files[posixpath.basename(self.code)] = self.code
        for path in self._folders(folder):
            base = self._base_of(posixpath.join(path, "*"))
            for name in self.entries[path]:
                inner = posixpath.join(path, name)
                if not name.endswith("/"):
                    if self._base_of(inner) == base:
                        files.setdefault(name, inner)
                elif self._base_of(f"{inner}*") == base:
                    folders.add(name[:-1])
        return Listing(files, frozenset(folders))


def is_in(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it; the root holds everything."""
    return folder == "" or path == folder or path.startswith(f"{folder}/")


def leads_out(name: str) -> bool:
    return name == ".." or name.startswith(("../", "/"))


def pattern_of(path: str) -> str:
    """Return the glob that matches exactly this path."""
    escaped = (f"[{letter}]" if letter in "*?[" else letter for letter in path)
    return "".join(escaped)

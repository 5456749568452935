"""The snapshot as it would be if everything were sent: which file has which name in it."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from azureml_jobs.jobfile.paths import leads_out


@dataclass(frozen=True)
class Listing:
    """What one folder of the snapshot holds: the path of each file by its name, and folders."""

    files: Mapping[str, str]
    folders: frozenset[str]


NOTHING = Listing({}, frozenset())

# A folder of the snapshot, and the folder of the repository that is laid there.
_Place = tuple[str, str]


@dataclass
class Overlay:
    """Lays the code folder over included folders, and these over the source roots.

    A file in the code folder has its name relative to that folder and no other; any other file, its
    name relative to the innermost source root that holds it.

    code: the repository path of the code folder, None without one.
    includes: paths of folders that are laid in the snapshot's root, under their last names.
    single_files: paths of files that are laid there.
    """

    code: str | None
    roots: tuple[str, ...]
    includes: list[str] = field(default_factory=list)
    single_files: list[str] = field(default_factory=list)
    # What is known of the repository: its folders, each with the names in it; folders end with "/".
    entries: dict[str, frozenset[str]] = field(default_factory=dict)
    # The folders of the repository that must be listed before more is known.
    unknown: set[str] = field(default_factory=set)
    _listings: dict[str, Listing] = field(default_factory=dict)

    def name_of(self, path: str) -> str:
        """Return the name that a file of the repository has in the snapshot."""
        if path in self.single_files:
            return posixpath.basename(path)
        mount, base = self._place_of(path) or ("", "")
        return posixpath.join(mount, path[len(base) + 1 :] if base else path)

    def holds(self, path: str) -> bool:
        """Return whether the snapshot would have the file."""
        return path in self.single_files or self._place_of(path) is not None

    def file(self, name: str) -> str | None:
        """Return the path of the file with this name; None if there is none, or none known yet."""
        listing = self.listing(posixpath.dirname(name))
        return listing.files.get(posixpath.basename(name)) if listing else None

    def listing(self, folder: str) -> Listing | None:
        """Return what a folder of the snapshot holds; None when more must be known first."""
        found = self._listings.get(folder)
        if found is None and not leads_out(folder):
            missing = [each for _, each in self._folders(folder) if not self._is_known(each)]
            if missing:
                self.unknown.update(missing)
                return None
            found = self._listings[folder] = self._merged(folder)
        return found or NOTHING

    def _is_known(self, folder: str) -> bool:
        """Return whether it is known what the folder holds: nothing, when it does not exist."""
        if folder not in self.entries and folder:
            parent, name = posixpath.split(folder)
            if f"{name}/" not in self.entries.get(parent, {f"{name}/"}):
                self.entries[folder] = frozenset()
        return folder in self.entries

    def _own_places(self) -> list[_Place]:
        code = [] if self.code is None else [("", self.code)]
        return [*code, *((posixpath.basename(each), each) for each in self.includes)]

    def _place_of(self, path: str) -> _Place | None:
        """Return the one place from which a file gets its name."""
        places = (*self._own_places(), *self._innermost_first)
        return next((place for place in places if is_in(path, place[1])), None)

    @functools.cached_property
    def _innermost_first(self) -> list[_Place]:
        return [("", root) for root in sorted(self.roots, key=len, reverse=True)]

    def _folders(self, folder: str) -> Iterator[tuple[_Place, str]]:
        """Yield the folders of the repository that are `folder` in the snapshot, best first."""
        for place in dict.fromkeys((*self._own_places(), *(("", root) for root in self.roots))):
            mount, base = place
            if is_in(folder, mount):
                path = posixpath.join(base, folder[len(mount) :].lstrip("/")).rstrip("/")
                if self._place_of(posixpath.join(path, "*")) == place:
                    yield place, path

    def _merged(self, folder: str) -> Listing:
        files: dict[str, str] = {}
        folders: set[str] = set()
        bases = {base for _, base in (*self._own_places(), *self._innermost_first)}
        for place, path in self._folders(folder):
            whole = _listing_of(path, self.entries[path])
            # What is laid elsewhere in the snapshot is not here.
            inside = (base for base in bases if base != path and is_in(base, path))
            others = (base for base in inside if self._place_of(f"{base}/*") != place)
            folders |= whole.folders - {posixpath.relpath(base, path or ".") for base in others}
            for name, inner in whole.files.items():
                files.setdefault(name, inner)
        if folder == "":
            folders.update(map(posixpath.basename, self.includes))
            for path in self.single_files:
                files[posixpath.basename(path)] = path
        return Listing(files, frozenset(folders))


@functools.lru_cache(maxsize=1000)
def _listing_of(path: str, names: frozenset[str]) -> Listing:
    """Return all that a folder of the repository holds: the same one for all commands."""
    files = {name: posixpath.join(path, name) for name in names if not name.endswith("/")}
    return Listing(files, frozenset(name[:-1] for name in names if name.endswith("/")))


def is_in(path: str, folder: str) -> bool:
    """Return whether a path is a folder or in it; the root holds everything."""
    return folder == "" or path == folder or path.startswith(f"{folder}/")


def pattern_of(path: str) -> str:
    """Return the glob that matches exactly this path."""
    escaped = (f"[{letter}]" if letter in "*?[" else letter for letter in path)
    return "".join(escaped)

"""Find a module as Python does, in the snapshot.

The rules are those of `importlib`'s `PathFinder` and `FileFinder`: in each folder of the search
path a package with `__init__` comes before a module, and extension modules before source; folders
without `__init__` are a namespace package when no folder has more.
"""

from __future__ import annotations

import posixpath
import sys
from _imp import is_frozen
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from azureml_jobs.imports.overlay import NOTHING, Listing, Overlay

# The import system has loaded it before it looks at any folder.
_LOADED_AT_START = {"__main__", "encodings"}


@dataclass(frozen=True)
class Module:
    """A module that Python finds in the snapshot.

    path: its file in the repository, None for a namespace package.
    folders: where its submodules are searched; empty unless it is a package.
    is_open: whether packages of the environment may hold more of it.
    """

    name: str
    path: str | None
    folders: tuple[str, ...] = ()
    is_open: bool = False

    @property
    def is_package(self) -> bool:
        return bool(self.folders)

    @property
    def package(self) -> str:
        """Return its `__package__`."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Found:
    """How far Python comes with a dotted name.

    chain: the modules that it loads, from the outermost package to the last that it finds.
    is_found: whether the last one is the module that was meant.
    is_python: whether the name is a module of Python itself.
    """

    chain: tuple[Module, ...] = ()
    is_found: bool = False
    is_python: bool = False

    @property
    def last(self) -> Module:
        return self.chain[-1]

    @property
    def is_open(self) -> bool:
        """Whether a package of the environment may have more: no file of ours hides that."""
        return all(module.is_open for module in self.chain)


SearchPath = tuple[str, ...]


class Finder:
    """Finds modules in an overlay."""

    def __init__(
        self, overlay: Overlay, python: tuple[int, int], standard_library: frozenset[str]
    ) -> None:
        self.overlay = overlay
        self._standard_library = standard_library
        version = "".join(map(str, python))
        tags = (f".cpython-{version}-x86_64-linux-gnu", f".cpython-{version}-aarch64-linux-gnu")
        self._suffixes = (*(f"{tag}.so" for tag in tags), ".abi3.so", ".so", ".py")
        self._known: dict[tuple[str, SearchPath], Found] = {}
        self._open: set[str] = set()

    def find(self, name: str, search_path: SearchPath) -> Found | None:
        """Return what Python finds for a dotted name; None when more must be known first."""
        key = name, search_path
        if key not in self._known:
            found = self._find(name, search_path)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]

    def open(self, path: str) -> bool:
        """Let the package with this `__init__` have parts elsewhere; return whether that is new."""
        if path in self._open:
            return False
        self._open.add(path)
        self._known.clear()
        return True

    def _find(self, name: str, search_path: SearchPath) -> Found | None:
        parent, _, last = name.rpartition(".")
        if not parent:
            return self._find_top(name, search_path)
        found = self.find(parent, search_path)
        if found is None or not found.is_found or found.is_python:
            return found
        module = self._search(name, last, found.last.folders)
        if module is None:
            return None
        if module == "missing":
            return Found(found.chain)
        return Found((*found.chain, module), is_found=True)

    def _find_top(self, name: str, search_path: SearchPath) -> Found | None:
        if name in sys.builtin_module_names or name in _LOADED_AT_START or is_frozen(name):
            return Found(is_found=True, is_python=True)
        module = self._search(name, name, search_path)
        if module is None:
            return None
        is_python = name in self._standard_library
        if module == "missing" or (is_python and module.path is None):
            return Found(is_found=is_python, is_python=is_python)
        return Found((module,), is_found=True)

    def _search(
        self, name: str, last: str, folders: Sequence[str]
    ) -> Module | Literal["missing"] | None:
        """Return the module of that last name in the first of `folders` that has it."""
        portions: list[str] = []
        package: str | None = None
        is_open = False
        for folder in folders:
            listing = self.overlay.listing(folder)
            if listing is None:
                is_open = True
                continue
            inner = posixpath.join(folder, last)
            is_folder = last in listing.folders
            contents = self.overlay.listing(inner) if is_folder else NOTHING
            is_open = is_open or contents is None
            if contents is None or is_open:
                continue
            if package is None and (path := self._file(contents, "__init__")):
                if path not in self._open:
                    return Module(name, path, (inner,))
                package, portions = path, []
            elif package is None and (path := self._file(listing, last)):
                return Module(name, path)
            if is_folder:
                portions.append(inner)
        if is_open:
            return None
        return Module(name, package, tuple(portions), is_open=True) if portions else "missing"

    def _file(self, listing: Listing, stem: str) -> str | None:
        found = (listing.files.get(f"{stem}{suffix}") for suffix in self._suffixes)
        return next(filter(None, found), None)

    def matching(self, folder: str, parts: Sequence[str]) -> list[str] | None:
        """Return what matches a pattern below a folder of the snapshot; None if unknown."""
        listing = self.overlay.listing(folder)
        if listing is None:
            return None
        names = [*listing.folders, *(listing.files if len(parts) == 1 else ())]
        paths = [posixpath.join(folder, name) for name in sorted(names) if _matches(name, parts[0])]
        if len(parts) == 1:
            return paths
        inner = [self.matching(path, parts[1:]) for path in paths]
        return None if None in inner else [each for found in inner for each in found or ()]


def _matches(name: str, pattern: str) -> bool:
    """Return whether bash takes the pattern for the name: `*` matches no hidden file."""
    return name == pattern or (fnmatchcase(name, pattern) and not name.startswith("."))

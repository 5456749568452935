"""What one Python process runs, loads, imports and misses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from azureml_jobs.imports.finder import Finder, Module
from azureml_jobs.imports.result import RUN, Wanted
from azureml_jobs.imports.source import Source
from azureml_jobs.imports.statements import Import
from azureml_jobs.jobfile.command.code import PythonStart
from azureml_jobs.protocol import NeededFile

# Files that Python loads and nobody reads.
UNREADABLE = (".so", ".zip", ".pyz", ".egg", ".whl", ".pyc")


@dataclass(frozen=True)
class Loaded:
    """A file under the name by which the process loads it.

    package: its `__package__`, empty for a script.
    source: what it holds, for code that is no file.
    """

    path: str
    package: str
    is_main: bool
    source: Source | None = None


Kind = Literal["outside", "submodule", "name", "relative", "start"]


@dataclass(frozen=True)
class Missing:
    """An import that nothing in the snapshot satisfies.

    outside: a package of the environment may have it. submodule: its package is a file of the
    snapshot, the last that Python finds. name: neither a submodule nor bound by its package.
    relative: the importing file has no package, or not so many. start: the command starts it.
    """

    kind: Kind
    wanted: Wanted
    last: Module | None = None


def wanted_by(each: Import, loaded: Loaded, is_strict: bool) -> Wanted | Missing:
    """Return what an import in a file wants by its absolute name."""
    is_optional = each.is_optional or not is_strict
    line = 0 if loaded.source else each.line
    wanted = Wanted(each.module, each.names, loaded.path, line, is_optional)
    if not each.level:
        return wanted
    parents = loaded.package.split(".") if loaded.package else []
    if len(parents) < each.level:
        return Missing("relative", replace(wanted, module=f"{'.' * each.level}{each.module}"))
    parts = [*parents[: len(parents) - each.level + 1], *filter(None, [each.module])]
    return replace(wanted, module=".".join(parts))


@dataclass
class Shared:
    """What all processes of a command know and find; `unread` are files that must be read."""

    finder: Finder
    python: tuple[int, int]
    where: str
    sources: dict[str, Source] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    # What is sent, by its path.
    files: dict[str, NeededFile] = field(default_factory=dict)
    # Strings with their file and line, and the folders to which they may be relative.
    literals: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)
    # Names of files and folders that the code finds by `__file__`, each with its file and line.
    own_files: dict[str, str] = field(default_factory=dict)
    own_folders: dict[str, str] = field(default_factory=dict)
    # Namespace packages that are imported by themselves: a file must keep their folders.
    bare_folders: dict[tuple[str, ...], Wanted] = field(default_factory=dict)

    def add(self, path: str, why: str, by: str = "") -> None:
        """Send a file; the first reason counts."""
        if path not in self.files:
            name = self.finder.overlay.name_of(path)
            self.files[path] = NeededFile(path, name, "", why, by)

    def add_run(self, path: str, runner: str) -> None:
        """Send a file that the script `runner` starts, or the command itself."""
        self.add(path, f"{RUN} {runner or 'the command'}", runner)

    def source_of(self, module: Module) -> Source | None:
        """Return what is in a module; None if it must be read first."""
        path = module.path
        if path is None or path.endswith(UNREADABLE):
            return Source(names=())
        if path not in self.sources:
            self.unread.add(path)
        return self.sources.get(path)

    def opens(self, module: Module, source: Source) -> bool:
        """Return whether it is new that the package has parts elsewhere."""
        is_open = source.extends_path and module.is_package and module.path is not None
        return is_open and self.finder.open(module.path or "")


Step = PythonStart | Wanted | Loaded

"""Follow what one Python process loads."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from azureml_jobs.imports.finder import Found, Module
from azureml_jobs.imports.places import PathChange
from azureml_jobs.imports.source import read_source
from azureml_jobs.imports.steps import (
    UNREADABLE,
    Kind,
    Loaded,
    Missing,
    Shared,
    Step,
    Wanted,
    wanted_by,
)
from azureml_jobs.jobfile.command.code import PythonStart
from azureml_jobs.jobfile.paths import leads_out

# Every module has these, whatever its text binds.
_OF_ALL_MODULES = {"__file__", "__path__", "__name__", "__doc__", "__spec__", "__package__", "*"}


@dataclass(eq=False)
class Process:
    """One process. It goes on as far as what is known allows, and starts again when it learns more.

    is_strict: whether everything that it imports must exist.
    changes_path: whether it follows what the code does to `sys.path`.
    is_open: whether the code adds folders to `sys.path` that only the run knows.
    first: what it begins with.
    runner: the script that starts it, empty for the command itself.
    former: the same process as it is before its code changes `sys.path`.
    """

    shared: Shared
    search_path: tuple[str, ...]
    folder: str
    is_strict: bool = True
    changes_path: bool = True
    is_open: bool = False
    missing: dict[Missing, None] = field(default_factory=dict)
    first: list[Step] = field(default_factory=list)
    runner: str = ""
    former: Process | None = None
    # What it runs, as its first search path gives it, and the package that is loaded for that.
    _run_first: list[Loaded] = field(default_factory=list)
    _run_package: tuple[str, tuple[str, ...]] = ("", ())
    _todo: deque[Step] = field(default_factory=deque)
    _seen: set[Wanted | Loaded] = field(default_factory=set)
    _changes: set[tuple[str, bool]] = field(default_factory=set)

    def begin(self) -> None:
        self._run_first.clear()
        self._run_package = "", ()
        self._begin_with(self.first)

    def _begin_with(self, steps: Iterable[Step]) -> None:
        self.missing.clear()
        self._seen.clear()
        self._todo = deque(steps)

    def satisfies(self, wanted: Wanted) -> bool:
        """Return whether it has found what an import statement asks for."""
        seen = {each.statement for each in self._seen if isinstance(each, Wanted)}
        return wanted.statement in seen - {each.wanted.statement for each in self.missing}

    def loaded(self) -> list[Loaded]:
        """Return the files that it loads, in no order."""
        return [each for each in self._seen if isinstance(each, Loaded)]

    def add(self, step: Step) -> None:
        self.first.append(step)
        self._todo.append(step)

    def advance(self) -> None:
        blocked: deque[Step] = deque()
        while self._todo:
            item = self._todo.popleft()
            if isinstance(item, Loaded):
                is_done = self._load(item)
            else:
                is_done = self._import(item) if isinstance(item, Wanted) else self._run(item)
            if not is_done:
                blocked.append(item)
        self._todo = blocked

    def _run(self, start: PythonStart) -> bool:
        if start.kind == "source":
            source = read_source(start.value.encode(), "source.py", self.shared.python)
            self._run_first.append(Loaded(self.shared.where, "", True, source))
            self._add(self._run_first[0])
            return True
        wanted = Wanted(start.value, (), self.shared.where, 0, not start.is_certain)
        run = self._run_script if start.kind == "script" else self._run_module
        return run(start.value, wanted)

    def _run_script(self, name: str, wanted: Wanted) -> bool:
        overlay, folder = self.shared.finder.overlay, posixpath.dirname(name)
        inside = overlay.listing(name)
        if overlay.listing(folder) is None or inside is None:
            return False
        path = overlay.file(name)
        if path is None and "__main__.py" in inside.files:
            path = inside.files["__main__.py"]
            if name not in self.search_path:
                # A folder that is run is searched itself, in place of the folder around it.
                own = self.search_path[:1] == (folder,)
                self.search_path = (name, *self.search_path[own:])
        if path is None:
            self._miss("start", wanted)
        else:
            self._add_run(path, "")
        return True

    def _run_module(self, name: str, wanted: Wanted) -> bool:
        found = self._find(name)
        if found is None:
            return False
        if found.is_found and not found.is_python and found.last.is_package:
            found = self._find(f"{name}.__main__")
            if found is None:
                return False
        if not found.is_found:
            self._add_chain(found, wanted)
            self._miss("outside" if found.is_open else "start", wanted)
        elif not found.is_python:
            self._add_chain(replace(found, chain=found.chain[:-1]), wanted)
            if len(found.chain) > 1:
                self._run_package = found.chain[0].name, self.search_path
            self._add_run(found.last.path or "", found.last.package)
        return True

    def _load(self, loaded: Loaded) -> bool:
        source = loaded.source or self.shared.sources.get(loaded.path)
        if source is None:
            self.shared.unread.add(loaded.path)
            return False
        own_folder = posixpath.dirname(self.shared.finder.overlay.name_of(loaded.path))
        for literal, line in source.literals if self.is_strict else ():
            folders = self.shared.literals.setdefault((loaded.path, line, literal), set())
            folders.update((own_folder, self.folder))
        for path, line in source.own_files:
            name = posixpath.normpath(posixpath.join(own_folder, path))
            self.shared.own_files.setdefault(name, f"{loaded.path}:{line}")
        if self._change_path(source.path_changes, own_folder):
            others = [step for step in self.first if not isinstance(step, PythonStart)]
            self._begin_with([*self._run_first, *others])
            return True
        holds = {"main": loaded.is_main, "packaged": bool(loaded.package)}
        for each in source.imports:
            if all(holds[tag] is value for tag, value in each.conditions):
                wanted = wanted_by(each, loaded, self.is_strict)
                if isinstance(wanted, Missing):
                    self.missing[wanted] = None
                else:
                    self._add(wanted)
        return True

    def _import(self, wanted: Wanted) -> bool:
        found = self._find(wanted.module)
        if found is None:
            return False
        if not found.is_found:
            self._add_chain(found, wanted)
            return self._import_missing(found, wanted)
        return found.is_python or self._import_names(found, wanted)

    def _import_missing(self, found: Found, wanted: Wanted) -> bool:
        if found.is_open:
            self._miss("outside", wanted)
            return True
        source = self.shared.source_of(found.last)
        if source is None:
            return False
        if self.shared.opens(found.last, source):
            return self._import(wanted)
        if not source.makes_modules:
            self._miss("submodule", wanted, found.last)
        return True

    def _import_names(self, found: Found, wanted: Wanted) -> bool:
        """Add the module, and what `from module import names` imports from it."""
        names = wanted.names
        if "*" in names and found.last.is_package and found.last.path:
            source = self.shared.source_of(found.last)
            if source is None:
                return False
            names = source.exported
        submodules = {}
        for name in names if found.last.is_package else ():
            submodule = self._find(f"{wanted.module}.{name}") if name.isidentifier() else Found()
            if submodule is None:
                return False
            submodules[name] = submodule
        self._add_chain(found, wanted)
        absent = [name for name, each in submodules.items() if name != "*" and not each.is_found]
        for name, submodule in submodules.items():
            if submodule.is_found:
                self._add_chain(submodule, wanted)
        is_bare = not set(wanted.names) - {"*"}
        if found.is_open and found.last.path is None and (absent or is_bare):
            # The folder is there, but a package of the environment with an `__init__` would win.
            is_optional = wanted.is_optional or not absent
            wanted = replace(wanted, names=tuple(absent), is_optional=is_optional)
            self._miss("outside", wanted, found.last)
        elif absent and not is_bare:
            return self._check_bound(found.last, wanted, absent)
        return True

    def _check_bound(self, package: Module, wanted: Wanted, names: list[str]) -> bool:
        source = self.shared.source_of(package)
        if source is None:
            return False
        if self.shared.opens(package, source):
            return self._import(wanted)
        if package.is_open and package.path:
            self._miss("outside", replace(wanted, names=tuple(names)), package)
        elif source.names is not None:
            bound = {*source.names, *_OF_ALL_MODULES}
            unbound = tuple(name for name in names if name not in bound)
            if unbound:
                self._miss("name", replace(wanted, names=unbound), package)
        return True

    def _find(self, name: str) -> Found | None:
        package, search_path = self._run_package
        is_loaded = package and f"{name}.".startswith(f"{package}.")
        return self.shared.finder.find(name, search_path if is_loaded else self.search_path)

    def _add_chain(self, found: Found, wanted: Wanted) -> None:
        if found.is_found and found.chain and found.last.path is None:
            self.shared.bare_folders.setdefault(found.last.folders, wanted)
        for module in found.chain:
            if module.path:
                self.shared.add(module.path, f"imported by {wanted.where}", wanted.path)
                if not module.path.endswith(UNREADABLE):
                    self._add(Loaded(module.path, module.package, is_main=False))

    def _add_run(self, path: str, package: str) -> None:
        self.shared.add_run(path, self.runner)
        if not path.endswith(UNREADABLE):
            self._run_first.append(Loaded(path, package, is_main=True))
            self._add(self._run_first[-1])

    def _add(self, item: Loaded | Wanted) -> None:
        if item not in self._seen:
            self._seen.add(item)
            self._todo.append(item)

    def _miss(self, kind: Kind, wanted: Wanted, last: Module | None = None) -> None:
        self.missing[Missing(kind, wanted, last)] = None

    def _change_path(self, changes: Iterable[PathChange], own_folder: str) -> bool:
        """Apply what a file adds to `sys.path`; return whether the process must start again."""
        before = self.search_path
        for change in changes if self.changes_path else ():
            base = own_folder if change.base == "file" else self.folder
            folder = posixpath.normpath(posixpath.join(base, change.path))
            folder = "" if folder == "." else folder
            if change.base is None or folder.startswith("/"):
                self.is_open = True
            elif not leads_out(folder) and (folder, change.is_first) not in self._changes:
                self._keep_former()
                if change.is_first:
                    self.search_path = (folder, *self.search_path)
                elif folder not in self.search_path:
                    self.search_path = (*self.search_path, folder)
                self._changes.add((folder, change.is_first))
        return self.search_path != before

    def _keep_former(self) -> None:
        """Follow the process with its first search path, too, for what it imports before."""
        if not self._changes:
            self.former = Process(self.shared, self.search_path, self.folder, False, False)
            self.former.first = list(self.first)
            self.former.begin()

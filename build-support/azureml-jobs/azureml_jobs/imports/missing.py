"""Say why Python does not find a module, and what to write so that it does."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest
from azureml_jobs.imports.finder import Finder
from azureml_jobs.imports.overlay import NOTHING, Overlay, is_in
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.result import OutsideModule
from azureml_jobs.imports.steps import Missing, Wanted
from azureml_jobs.jobfile.command.code import Code, PythonStart


@dataclass(frozen=True)
class Run:
    """How a process is started now.

    script: the repository path of the file that it runs, if that exists.
    """

    start: PythonStart
    script: str | None

    @property
    def command(self) -> str:
        if self.start.kind == "script":
            return f"python {posixpath.relpath(self.start.value, self.start.folder or '.')}"
        return f"python -m {self.start.value}" if self.start.kind == "module" else "python"


@dataclass
class Advisor:
    """Looks for what is missing in the snapshot, and at its place in the whole repository.

    missing: the modules that no package has, either. All folders are listed to name a similar one.
    """

    code: Code
    snapshot: Finder
    repository: Finder
    missing: frozenset[str]

    @property
    def overlay(self) -> Overlay:
        return self.snapshot.overlay

    @property
    def overlays(self) -> tuple[Overlay, Overlay]:
        return self.overlay, self.repository.overlay

    def outside(self, missing: Missing, process: Process) -> OutsideModule:
        wanted = missing.wanted
        exact, remedy, similar, is_exact = self._elsewhere(wanted), None, None, False
        if exact:
            base, similar = exact
            remedy = self._remedy(wanted, process, base, similar)
            inner = [self.repository.find(name, (base,)) for name in wanted.dotted_names]
            is_submodule = bool(wanted.names) and any(each and each.is_found for each in inner)
            is_exact = ("." in wanted.module or is_submodule) and self.overlay.holds(similar)
        elif wanted.module in self.missing:
            folders = missing.last.folders if missing.last else process.search_path
            name = wanted.names[0] if missing.last and wanted.names else wanted.module
            similar = self._similar(name.partition(".")[0], folders)
        return OutsideModule(
            **vars(wanted),
            is_certain=not process.is_open,
            nearest=similar if is_exact else None,
            similar=None if is_exact else similar,
            remedy=remedy,
        )

    def error(self, missing: Missing, process: Process) -> JobError:
        wanted, package = missing.wanted, missing.last
        if missing.kind == "start":
            return self._start_error(wanted)
        if package is None:
            return self._relative_error(wanted, process)
        modules = wanted.dotted_names if missing.kind == "name" else (wanted.module,)
        what = f"no file is the module {' or '.join(f'`{name}`' for name in modules)}"
        place = package.path or f"the folder {package.folders[0]}"
        if not package.is_package:
            what = f"`{package.name}` is no package, but the file {package.path}"
        exact = self._elsewhere(wanted)
        if exact and exact[1] != package.path:
            what += f". Python finds `{package.name}` in {place}, which hides {exact[1]}"
            return JobError(wanted.where, what, "Rename one of them.")
        # The first part that does not exist, among what its package holds.
        last = modules[0][len(package.name) + 1 :].partition(".")[0]
        similar = self._similar(last, package.folders)
        hint = f"The nearest module is {similar}. " if similar else ""
        return JobError(wanted.where, what, f"{hint}Check the name: `{package.name}` is {place}.")

    def _start_error(self, wanted: Wanted) -> JobError:
        base = self.code.path or "the repository's root"
        return JobError(
            wanted.where,
            f"it runs {wanted.module}, which does not exist",
            f"{next(self._starts_meant(wanted.module), '')}Names are relative to the folder of "
            f"`code:`, {base}.",
        )

    def _starts_meant(self, name: str) -> Iterator[str]:
        """Yield sentences on the files that may be meant, the likeliest first."""
        parts = name.split("/")
        for tail in ("/".join(parts[start:]) for start in range(1, len(parts))):
            if self.overlay.file(tail):
                yield f"Did you mean `{tail}`? "
        folder = self.code.path
        while folder:
            folder = posixpath.dirname(folder)
            path = posixpath.join(folder, name)
            if self.repository.overlay.file(path):
                yield f"There is {path}: write `code: {self._code_key(folder)}`. "
        is_module = "/" not in name and not name.endswith(".py")
        folder, last = posixpath.split(f"{name.replace('.', '/')}.py" if is_module else name)
        listing = self.overlay.listing(folder)
        if listing and (close := nearest(last, sorted(listing.files))):
            file = posixpath.join(folder, close)
            meant = file.removesuffix(".py").replace("/", ".") if is_module else file
            yield f"Did you mean `{meant}`? "

    def _relative_error(self, wanted: Wanted, process: Process) -> JobError:
        dots = len(wanted.module) - len(wanted.module.lstrip("."))
        base = "/".join(wanted.path.split("/")[: -dots - 1])
        names = ", ".join(wanted.names)
        statement = f"from {wanted.module} import {names}" if names else wanted.module
        run = self.run_of(process)
        way = run and self.way_to_find(wanted.path, base, run)
        return JobError(
            wanted.where,
            f"`{statement}` is relative to a package, and Python loads this file without "
            + ("one" if dots == 1 else f"{dots} packages around it"),
            f"Write {way}, or the import without dots." if way else "",
        )

    def _elsewhere(self, wanted: Wanted) -> tuple[str, str] | None:
        """Return the folder in which the module exists exactly, and its file."""
        for base in self._bases(wanted):
            found = self.repository.find(wanted.module, (base,))
            if found is None or not found.is_found or found.is_python:
                continue
            inner = (self.repository.find(name, (base,)) for name in wanted.dotted_names)
            for each in (found, *inner):
                if each and each.is_found and each.chain and each.last.path:
                    return base, each.last.path
        return None

    def _bases(self, wanted: Wanted) -> Iterator[str]:
        """Yield folders in which the module may be, the likeliest first."""
        start = posixpath.dirname(wanted.path) if wanted.line else self.code.path or ""
        if self.overlay.code is not None:
            yield self.overlay.code
        yield start
        while start:
            start = posixpath.dirname(start)
            yield start
        yield from self.overlay.roots

    def _similar(self, name: str, folders: tuple[str, ...]) -> str | None:
        """Return the path of the module with the nearest name, or that it is one of Python."""
        python = (each for each in sys.stdlib_module_names if not each.startswith("_"))
        modules = {each: f"{each} of Python" for each in python}
        for folder in reversed(folders):
            listing = self.overlay.listing(folder) or NOTHING
            for file, path in sorted(listing.files.items()):
                if file.endswith(".py"):
                    modules[file[:-3]] = path
            for package in listing.folders:
                inner = self.overlay.listing(posixpath.join(folder, package)) or NOTHING
                if "__init__.py" in inner.files:
                    modules[package] = inner.files["__init__.py"]
        close = nearest(name, modules)
        return modules[close] if close else None

    def _remedy(self, wanted: Wanted, process: Process, base: str, path: str) -> str | None:
        """Return what to write so that Python finds the file `path`, whose name is below `base`."""
        options = []
        name = self.name_to_import(path, process.search_path)
        run = self.run_of(process)
        if name and self.overlay.holds(path):
            is_start = run is not None and not wanted.line
            statement = f"from {name} import …" if wanted.names else f"import {name}"
            options.append(f"`python -m {name}`" if is_start else f"`{statement}`")
        if run:
            options.append(self.way_to_find(path, base, run))
        return f"Write {', or '.join(options)}." if options else None

    def run_of(self, process: Process) -> Run | None:
        """Return how the command starts the process, None for one that only reads files."""
        start = next((each for each in process.first if isinstance(each, PythonStart)), None)
        script = None
        if start and start.kind == "script":
            script = self.overlay.file(start.value)
        elif start and start.kind == "module":
            found = self.snapshot.find(start.value, process.search_path)
            script = found.last.path if found and found.is_found and found.chain else None
        return Run(start, script) if start else None

    def way_to_find(self, path: str, base: str, run: Run) -> str:
        """Return what to write so that `run` searches `base`, a folder around the file `path`."""
        overlay, name = self.overlay, self.overlay.name_of(path)
        below = path[len(base) + 1 :] if base else path
        if not overlay.holds(path) or not f"/{name}".endswith(f"/{below}"):
            # The folder around the code must become part of the snapshot.
            script = run.script if run.script and is_in(run.script, base) else None
            started = f" with `python -m {dotted(script, base)}`" if script else ""
            return f"`code: {self._code_key(base)}`{started}"
        folder = name[: len(name) - len(below)].rstrip("/")
        relative = posixpath.relpath(folder or ".", run.start.folder or ".")
        script_name = overlay.name_of(run.script) if run.script else ""
        if run.start.kind == "script" and script_name and is_in(script_name, folder):
            change = "" if folder == run.start.folder else f"cd {relative} && "
            return f"`{change}python -m {dotted(script_name, folder)}` in place of `{run.command}`"
        return f"`PYTHONPATH={relative} {run.command}`"

    def _code_key(self, folder: str) -> str:
        """Return the value of `code:` that names a folder of the repository."""
        job_folder = posixpath.dirname(self.code.where.partition(":")[0])
        return posixpath.relpath(folder or ".", job_folder or ".")

    def name_to_import(self, path: str, search_path: tuple[str, ...]) -> str | None:
        """Return the name by which Python finds the file `path` now, if it does."""
        name = self.overlay.name_of(path)
        for entry in search_path:
            module = dotted(name, entry) if is_in(name, entry) and name != entry else ""
            if module and all(part.isidentifier() for part in module.split(".")):
                return module
        return None


def dotted(path: str, base: str) -> str:
    """Return the name of the module in the file `path` for Python that searches `base`."""
    name = path[len(base) + 1 :] if base else path
    for ending in (".py", "/__init__", "/__main__"):
        name = name.removesuffix(ending)
    return name.replace("/", ".")

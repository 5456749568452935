"""Say why Python does not find a module, and what to write so that it does."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest
from azureml_jobs.imports.finder import Finder
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.remedy import Run, name_to_import, ways_to_find
from azureml_jobs.imports.result import OutsideModule
from azureml_jobs.imports.steps import Missing, Wanted
from azureml_jobs.jobfile.code import Code
from azureml_jobs.jobfile.command.code import PythonStart


@dataclass
class Advisor:
    """Looks for what is missing in the whole repository.

    repository: finds modules at their paths in the repository; what must be known first is
        collected in its `unknown`, and in that of `snapshot`.
    """

    code: Code
    snapshot: Finder
    repository: Finder

    @property
    def overlay(self) -> Overlay:
        return self.snapshot.overlay

    def outside(self, missing: Missing, process: Process) -> OutsideModule:
        wanted = missing.wanted
        nearest_path, similar, remedy = None, None, None
        exact = self._elsewhere(wanted)
        if exact:
            base, path = exact
            remedy = self._remedy(wanted, process, base, path)
            is_dotted = "." in wanted.module or self._is_submodule(wanted, base)
            if is_dotted and self.overlay.holds(path):
                nearest_path = path
            else:
                similar = path
        else:
            folders = missing.last.folders if missing.last else process.search_path
            name = wanted.names[0] if missing.last and wanted.names else wanted.module
            similar = self._similar(name.partition(".")[0], folders)
        return OutsideModule(
            wanted.module,
            wanted.names,
            wanted.path,
            wanted.line,
            process.search_path,
            wanted.is_optional,
            not process.is_open,
            nearest_path,
            similar,
            remedy,
        )

    def error(self, missing: Missing, process: Process) -> JobError:
        wanted = missing.wanted
        if missing.kind == "start":
            return self._start_error(wanted)
        if missing.kind == "relative":
            return self._relative_error(wanted, process)
        package = missing.last
        assert package is not None
        modules = [wanted.module]
        if missing.kind == "name":
            modules = [f"{wanted.module}.{name}" for name in wanted.names]
        what = f"no file is the module {' or '.join(f'`{name}`' for name in modules)}"
        place = package.path or f"the folder {package.folders[0]}"
        if not package.is_package:
            what = f"`{package.name}` is no package, but the file {package.path}"
        exact = self._elsewhere(wanted)
        if exact and exact[1] != package.path:
            return JobError(
                wanted.where,
                f"{what}. Python finds `{package.name}` in {place}, which hides {exact[1]}",
                "Rename one of them.",
            )
        # The first part that does not exist, among what its package holds.
        last = modules[0][len(package.name) + 1 :].partition(".")[0]
        similar = self._similar(last, package.folders)
        return JobError(
            wanted.where,
            what,
            f"The nearest file is {similar}. " * bool(similar)
            + f"Check the name: `{package.name}` is {place}.",
        )

    def _start_error(self, wanted: Wanted) -> JobError:
        name = wanted.module
        hint = (
            self._same_file_in_code(name)
            or self._file_around_code(name)
            or self._nearest_file(name)
        )
        base = self.code.path or "the repository's root"
        return JobError(
            wanted.where,
            f"it runs {wanted.module}, which does not exist",
            f"{hint}Names are relative to the folder of `code:`, {base}.",
        )

    def _file_around_code(self, name: str) -> str:
        """Return what to write when the file exists in a folder around the code."""
        folder = self.code.path
        while folder:
            folder = posixpath.dirname(folder)
            path = posixpath.join(folder, name)
            listing = self.repository.listing(posixpath.dirname(path))
            if listing and posixpath.basename(path) in listing.files:
                job_folder = posixpath.dirname(self.code.where.partition(":")[0])
                code = posixpath.relpath(folder or ".", job_folder or ".")
                return f"There is {path}: write `code: {code}`. "
        return ""

    def _same_file_in_code(self, name: str) -> str:
        """Return the file of the snapshot that has the last parts of the name."""
        parts = name.split("/")
        for start in range(1, len(parts)):
            tail = "/".join(parts[start:])
            listing = self.snapshot.listing(posixpath.dirname(tail))
            if listing and parts[-1] in listing.files:
                return f"Did you mean `{tail}`? "
        return ""

    def _nearest_file(self, name: str) -> str:
        folder, last = posixpath.split(name)
        listing = self.snapshot.listing(folder)
        close = nearest(last, sorted(listing.files)) if listing else None
        return f"Did you mean `{posixpath.join(folder, close)}`? " if close else ""

    def _relative_error(self, wanted: Wanted, process: Process) -> JobError:
        dots = len(wanted.module) - len(wanted.module.lstrip("."))
        base = wanted.path
        for _ in range(dots + 1):
            base = posixpath.dirname(base)
        names = ", ".join(wanted.names)
        statement = f"from {wanted.module} import {names}" if names else wanted.module
        run = self.run_of(process)
        ways = ways_to_find(wanted.path, base, run, self.overlay, self.code) if run else []
        return JobError(
            wanted.where,
            f"`{statement}` is relative to a package, and Python loads this file without "
            + ("one" if dots == 1 else f"{dots} packages around it"),
            f"Write {ways[0]}, or the import without dots." if ways else "",
        )

    def _elsewhere(self, wanted: Wanted) -> tuple[str, str] | None:
        """Return the folder in which the module exists exactly, and its file."""
        for base in self._bases(wanted):
            found = self.repository.find(wanted.module, (base,))
            if found is None or not found.is_found or found.is_python:
                continue
            if found.last.path:
                return base, found.last.path
            for name in wanted.names:
                inner = self.repository.find(f"{wanted.module}.{name}", (base,))
                if inner and inner.is_found and inner.chain and inner.last.path:
                    return base, inner.last.path
        return None

    def _is_submodule(self, wanted: Wanted, base: str) -> bool:
        found = [self.repository.find(f"{wanted.module}.{name}", (base,)) for name in wanted.names]
        return any(each and each.is_found for each in found)

    def _bases(self, wanted: Wanted) -> Iterator[str]:
        """Yield folders in which the module may be, the likeliest first."""
        code = self.code.path
        start = code or ""
        if self.overlay.code is not None:
            yield self.overlay.code
        if wanted.line:
            start = posixpath.dirname(wanted.path)
        yield start
        while start:
            start = posixpath.dirname(start)
            yield start
        yield from self.overlay.roots

    def _similar(self, name: str, folders: tuple[str, ...]) -> str | None:
        """Return the path of the module in `folders` with the nearest name."""
        modules: dict[str, str] = {}
        for folder in folders:
            listing = self.snapshot.listing(folder)
            for file, path in sorted(listing.files.items()) if listing else ():
                if file.endswith(".py"):
                    modules.setdefault(file[:-3], path)
        close = nearest(name, modules)
        return modules[close] if close else None

    def _remedy(self, wanted: Wanted, process: Process, base: str, path: str) -> str | None:
        """Return what to write so that Python finds the file `path`, whose name is below `base`."""
        options = []
        name = name_to_import(path, process.search_path, self.overlay)
        run = self.run_of(process)
        if name and self.overlay.holds(path):
            is_start = run is not None and not wanted.line
            statement = f"from {name} import …" if wanted.names else f"import {name}"
            options.append(f"`python -m {name}`" if is_start else f"`{statement}`")
        if run:
            options.extend(ways_to_find(path, base, run, self.overlay, self.code))
        return f"Write {', or '.join(options)}." if options else None

    def run_of(self, process: Process) -> Run | None:
        """Return how the command starts the process, None for one that only reads files."""
        start = next((each for each in process.first if isinstance(each, PythonStart)), None)
        if start is None:
            return None
        script = None
        if start.kind == "script":
            listing = self.snapshot.listing(posixpath.dirname(start.value))
            script = listing.files.get(posixpath.basename(start.value)) if listing else None
        elif start.kind == "module":
            found = self.snapshot.find(start.value, process.search_path)
            script = found.last.path if found and found.is_found and found.chain else None
        return Run(start, process.search_path, script)

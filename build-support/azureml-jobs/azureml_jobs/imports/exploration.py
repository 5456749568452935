"""Follow everything that a command starts and names, in as few questions as possible."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from azureml_jobs.imports.names import path_strings, sourced_files
from azureml_jobs.imports.overlay import Overlay, is_in, pattern_of
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.questions import Exist, Question, ReadSources, ReadTexts, learn
from azureml_jobs.imports.source import Source
from azureml_jobs.imports.steps import Loaded, Shared, Step, Wanted
from azureml_jobs.jobfile.command.code import CommandCode, PythonStart, ScriptStart
from azureml_jobs.jobfile.command.read import read_script
from azureml_jobs.jobfile.paths import leads_out

_NEVER_SENT = {"__pycache__", ".git"}


@dataclass
class Exploration:
    """What a command loads, as far as it is known.

    warnings: what the command runs and nobody can read. missing_scripts: those that do not exist.
    """

    shared: Shared
    processes: list[Process] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing_scripts: list[ScriptStart] = field(default_factory=list)
    # Files that targets declare, and files that they start.
    declared: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    # Words and scripts, each with the script that names or starts it, empty for the command itself.
    _todo: dict[ScriptStart | str, str] = field(default_factory=dict)
    _seen: set[ScriptStart | str] = field(default_factory=set)
    # Scripts that others load, in each folder to which their paths may be relative.
    _guessed: set[ScriptStart] = field(default_factory=set)
    # Folders that are sent as a whole, with the reason.
    _folders: dict[str, tuple[str, str]] = field(default_factory=dict)
    # The files of other interpreters that must be read, each with how they are run.
    _texts: dict[str, list[ScriptStart]] = field(default_factory=dict)
    _of_folder: dict[tuple[str, ...], Process] = field(default_factory=dict)

    @property
    def overlay(self) -> Overlay:
        return self.shared.finder.overlay

    def add(self, starts: CommandCode, runner: str = "") -> None:
        """Add what the command starts, or the script `runner`."""
        for start in starts.python:
            self._start(start, runner)
        todo: list[ScriptStart | str] = [*starts.files, *starts.scripts]
        self._todo.update(dict.fromkeys((each for each in todo if each not in self._seen), runner))
        self._seen.update(todo)
        self.warnings.extend(starts.warnings)

    def _start(self, start: PythonStart, runner: str) -> None:
        process = Process(
            self.shared,
            start.search_path,
            start.folder,
            is_open=not start.is_certain,
            first=[start],
            runner=runner,
        )
        process.begin()
        self.processes.append(process)

    def add_folder(self, path: str, why: str, by: str = "") -> None:
        """Add everything in a folder of the repository."""
        self._folders.setdefault(path, (why, by))

    def add_declared(self, declared: tuple[str, ...], entries: tuple[str, ...]) -> None:
        """Add files that targets declare or start, and what they import in every process."""
        # A better reason counts, so they are sent at the end.
        self.declared, self.entries = declared, entries
        if not self.processes:
            self.processes.append(Process(self.shared, ("",), ""))
        search_paths = dict.fromkeys((each.search_path, each.folder) for each in self.processes)
        # A module that is imported in one process only needs nothing of the others' search paths.
        processes = self.processes
        if len(search_paths) > 1:
            processes = [Process(self.shared, *each, is_strict=False) for each in search_paths]
            self.processes.extend(processes)
        for path in (*entries, *declared):
            if path.endswith((".py", ".ipynb")):
                for process in processes:
                    process.first.extend(self._steps(path, process.search_path))
        for process in processes:
            process.begin()

    def _steps(self, path: str, search_path: tuple[str, ...]) -> Iterator[Step]:
        """Yield how a process may load a file that nobody imports by a name that can be read."""
        folder = posixpath.dirname(self.overlay.name_of(path))
        # In the longest name that it may have, so that it is in its package.
        entry = min((each for each in search_path if is_in(folder, each)), key=len, default="")
        package = folder[len(entry) :].strip("/").replace("/", ".")
        if package:
            yield Wanted(package, (), path, 0, is_optional=True)
        yield Loaded(path, package, is_main=True)

    def explore(self) -> Generator[Question, Any, None]:
        """Go on until everything is known."""
        while True:
            for process in self.processes:
                process.advance()
                if process.former and process.former not in self.processes:
                    self.processes.append(process.former)
            for each, by in list(self._todo.items()):
                if self._name(each, by) if isinstance(each, str) else self._run(each, by):
                    del self._todo[each]
            self._add_own_files()
            if not (self.overlay.unknown or self.shared.unread or self._folders or self._texts):
                return
            yield from learn(self.overlay)
            yield from self._read()

    def _add_own_files(self) -> None:
        shared = self.shared
        for name, where in list(shared.own_files.items()):
            listing = self.overlay.listing(posixpath.dirname(name))
            if listing is not None:
                del shared.own_files[name]
                last = posixpath.basename(name)
                if last in listing.files:
                    shared.add(listing.files[last], f"named in {where}", where.rpartition(":")[0])
                elif last in listing.folders:
                    shared.own_folders.setdefault(name, where)

    def _read(self) -> Generator[Question, Any, None]:
        shared = self.shared
        if self._folders:
            yield from self._read_folders()
        if shared.unread:
            paths = tuple(sorted(shared.unread))
            shared.unread.clear()
            shared.sources.update(dict.fromkeys(paths, Source()) | (yield ReadSources(paths)))
        if self._texts:
            scripts, self._texts = self._texts, {}
            texts = yield ReadTexts(tuple(sorted(scripts)))
            for path, text in sorted(texts.items()):
                for script in scripts[path]:
                    self._read_script(path, text, script)

    def _read_folders(self) -> Generator[Question, Any, None]:
        folders, self._folders = self._folders, {}
        patterns = (f"{pattern_of(each)}/**".lstrip("/") for each in sorted(folders))
        for path in sorted((yield Exist(tuple(patterns)))):
            if not path.endswith("/") and can_be_sent(path):
                reason = next(found for each, found in sorted(folders.items()) if is_in(path, each))
                self._add_named(path, *reason)

    def _read_script(self, path: str, text: str, script: ScriptStart) -> None:
        first_line = text.partition("\n")[0]
        if first_line.startswith("#!") and "python" in first_line:
            search_path = (posixpath.dirname(script.name), *script.pythonpath)
            start = PythonStart(
                "script", script.name, search_path, script.folder, script.is_certain
            )
            self._start(start, self.shared.files[path].by)
        elif not script.is_read:
            self._read_other_language(path, text, script)
        elif "\0" not in text:
            try:
                self.add(read_script(text, script), path)
            except ValueError as error:
                self.warnings.append(f"it runs {path}, which cannot be read: {error}")

    def _read_other_language(self, path: str, text: str, script: ScriptStart) -> None:
        folders = {posixpath.dirname(script.name), script.folder}
        for literal, line in path_strings(text):
            self.shared.literals.setdefault((path, line, literal), set()).update(folders)
        for sourced in sourced_files(text):
            for folder in sorted(folders):
                name = posixpath.normpath(posixpath.join(folder, sourced))
                start = replace(script, name=name, is_certain=False)
                if start not in self._guessed:
                    self._guessed.add(start)
                    self._todo[start] = path

    def _name(self, word: str, by: str) -> bool:
        """Add what a word of the command, or of the script `by`, names; return if that is done."""
        why = f"named in {by or 'the command'}"
        folder_why = f"in a folder {why}"
        if leads_out(word) or word == "*":
            return True
        if not word:
            if self.overlay.code is not None:
                self.add_folder(self.overlay.code, folder_why, by)
            return True
        names = self.shared.finder.matching("", word.split("/"))
        if names is None:
            return False
        for name in names:
            path = self.overlay.file(name)
            if path:
                self._add_named(path, why, by)
            elif self.overlay.code is not None:
                self.add_folder(posixpath.join(self.overlay.code, name), folder_why, by)
        return True

    def _add_named(self, path: str, why: str, by: str) -> None:
        self.shared.add(path, why, by)
        if path.endswith((".py", ".ipynb")):
            name = self.overlay.name_of(path)
            entries = [entry for process in self.processes for entry in process.search_path]
            search_path = tuple(dict.fromkeys((posixpath.dirname(name), *entries, "")))
            if search_path not in self._of_folder:
                process = Process(self.shared, search_path, "", is_strict=False)
                self._of_folder[search_path] = process
                self.processes.append(process)
            self._of_folder[search_path].add(
                Loaded(path, posixpath.dirname(name).replace("/", "."), is_main=True)
            )

    def _run(self, script: ScriptStart, runner: str) -> bool:
        """Add a script that another interpreter runs; return whether it is done."""
        if self.overlay.listing(posixpath.dirname(script.name)) is None:
            return False
        path = self.overlay.file(script.name)
        if path is None:
            if script not in self._guessed:
                self.missing_scripts.append(script)
            return True
        self.shared.add_run(path, runner)
        self._texts.setdefault(path, []).append(script)
        return True


def can_be_sent(path: str) -> bool:
    """Return False for BUILD files, and for what git and Python keep for themselves."""
    is_build_file = f"{posixpath.basename(path)}.".startswith("BUILD.")
    return not is_build_file and not _NEVER_SENT.intersection(path.split("/"))

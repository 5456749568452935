"""Follow everything that a command starts and names, in as few questions as possible."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from azureml_jobs.imports.knowledge import learn
from azureml_jobs.imports.other_languages import path_strings, sourced_files
from azureml_jobs.imports.overlay import Overlay, is_in, pattern_of
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.questions import Exist, Question, ReadSources, ReadTexts
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
    _words: dict[str, str] = field(default_factory=dict)
    _scripts: dict[ScriptStart, str] = field(default_factory=dict)
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
        unseen = (each for each in starts.scripts if each not in self._seen)
        self._scripts.update(dict.fromkeys(unseen, runner))
        words = (each for each in starts.files if each not in self._seen)
        self._words.update(dict.fromkeys(words, runner))
        self._seen.update(starts.scripts, starts.files)
        self.warnings.extend(starts.warnings)

    def _start(self, start: PythonStart, runner: str) -> None:
        process = Process(
            self.shared, start.search_path, start.folder, first=[start], runner=runner
        )
        process.is_open = not start.is_certain
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
            self._words = {word: by for word, by in self._words.items() if not self._name(word, by)}
            self._scripts = {
                each: by for each, by in self._scripts.items() if not self._run(each, by)
            }
            self._add_own_files()
            is_done = not (self.shared.finder.unknown or self.shared.unread)
            if is_done and not self._folders and not self._texts:
                return
            yield from learn(self.shared.finder.unknown, self.overlay)
            yield from self._read()

    def _add_own_files(self) -> None:
        shared = self.shared
        for name, where in list(shared.own_files.items()):
            listing = shared.finder.listing(posixpath.dirname(name))
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
            folders, self._folders = self._folders, {}
            yield from self._read_folders(folders)
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

    def _read_folders(self, folders: dict[str, tuple[str, str]]) -> Generator[Question, Any, None]:
        patterns = (f"{pattern_of(each)}/**".lstrip("/") for each in sorted(folders))
        for path in sorted((yield Exist(tuple(patterns)))):
            if not path.endswith("/") and can_be_sent(path):
                reason = next(found for each, found in sorted(folders.items()) if is_in(path, each))
                self._add_named(path, *reason)

    def _read_script(self, path: str, text: str, script: ScriptStart) -> None:
        first_line = text.partition("\n")[0]
        if first_line.startswith("#!") and "python" in first_line:
            own_folder = posixpath.dirname(script.name)
            search_path = (own_folder, *script.pythonpath)
            self._start(
                PythonStart("script", script.name, search_path, script.folder, script.is_certain),
                self.shared.by[path],
            )
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
                    self._scripts[start] = path

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
            listing = self.shared.finder.listing(posixpath.dirname(name))
            path = listing.files.get(posixpath.basename(name)) if listing else None
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
            process = self._of_folder.get(search_path)
            if process is None:
                process = Process(self.shared, search_path, "", is_strict=False)
                self._of_folder[search_path] = process
                self.processes.append(process)
            process.add(Loaded(path, posixpath.dirname(name).replace("/", "."), is_main=True))

    def _run(self, script: ScriptStart, runner: str) -> bool:
        """Add a script that another interpreter runs; return whether it is done."""
        listing = self.shared.finder.listing(posixpath.dirname(script.name))
        if listing is None:
            return False
        path = listing.files.get(posixpath.basename(script.name))
        if path is None:
            if script not in self._guessed:
                self.missing_scripts.append(script)
            return True
        self.shared.add_run(path, runner)
        self._texts.setdefault(path, []).append(script)
        return True


def can_be_sent(path: str) -> bool:
    """Return False for BUILD files, and for what git and Python keep for themselves."""
    name = posixpath.basename(path)
    is_build_file = name == "BUILD" or name.startswith("BUILD.")
    return not is_build_file and not _NEVER_SENT.intersection(path.split("/"))

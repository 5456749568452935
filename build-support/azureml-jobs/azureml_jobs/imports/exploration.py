"""Follow everything that a command starts and names, in as few questions as possible."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from azureml_jobs.imports.overlay import Overlay, is_in, leads_out, pattern_of
from azureml_jobs.imports.process import Loaded, Process, Shared, Step, Wanted
from azureml_jobs.imports.questions import Exist, Question, ReadSources, ReadTexts
from azureml_jobs.imports.remedy import dotted
from azureml_jobs.imports.source import Source
from azureml_jobs.jobfile.command.code import CommandCode, ScriptStart

T = TypeVar("T")
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
    _words: list[str] = field(default_factory=list)
    _scripts: list[ScriptStart] = field(default_factory=list)
    _seen: set[ScriptStart | str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)
    # The files of other interpreters that must be read, each with how they are run.
    _texts: dict[str, list[ScriptStart]] = field(default_factory=dict)
    _of_folder: dict[tuple[str, ...], Process] = field(default_factory=dict)

    @property
    def overlay(self) -> Overlay:
        return self.shared.finder.overlay

    def add(self, starts: CommandCode) -> None:
        for start in starts.python:
            process = Process(self.shared, start.search_path, start.folder, first=[start])
            process.begin()
            self.processes.append(process)
        self._scripts.extend(each for each in starts.scripts if each not in self._seen)
        self._words.extend(each for each in starts.files if each not in self._seen)
        self._seen.update(starts.scripts, starts.files)
        self.warnings.extend(starts.warnings)

    def add_declared(self, paths: Iterable[str]) -> None:
        """Add files that targets declare, and what they import in every process."""
        if not self.processes:
            self.processes.append(Process(self.shared, ("",), ""))
        search_paths = dict.fromkeys((each.search_path, each.folder) for each in self.processes)
        for path in paths:
            self.shared.add(path, "declared as a dependency")
        modules = [path for path in paths if path.endswith(".py")]
        # A module that is imported in one process only needs nothing of the others' search paths.
        if len(search_paths) > 1:
            declared = [Process(self.shared, *each, is_strict=False) for each in search_paths]
            self.processes.extend(declared)
        else:
            declared = self.processes
        for process in declared:
            for path in modules:
                process.first.extend(self._steps(path, process.search_path))
            process.begin()

    def _steps(self, path: str, search_path: tuple[str, ...]) -> Iterator[Step]:
        """Yield how a process may load a file that nobody imports by a name that can be read."""
        name = self.overlay.name_of(path)
        is_found = False
        for entry in dict.fromkeys(search_path):
            module = dotted(name, entry) if is_in(name, entry) else ""
            if module and all(part.isidentifier() for part in module.split(".")):
                is_found = True
                yield Wanted(module, (), path, 0, is_optional=True)
        if not is_found:
            yield Loaded(path, posixpath.dirname(name).replace("/", "."), is_main=True)

    def explore(self) -> Generator[Question, Any, None]:
        """Go on until everything is known."""
        while True:
            for process in self.processes:
                process.advance()
            self._words = [word for word in self._words if not self._name(word)]
            self._scripts = [each for each in self._scripts if not self._run(each)]
            is_done = not (self.shared.finder.unknown or self.shared.unread)
            if is_done and not self._folders and not self._texts:
                return
            yield from learn(self.shared.finder.unknown, self.overlay)
            yield from self._read()

    def _read(self) -> Generator[Question, Any, None]:
        shared = self.shared
        if self._folders:
            patterns = tuple(f"{pattern_of(each)}/**" for each in sorted(self._folders))
            self._folders.clear()
            for path in sorted((yield Exist(patterns))):
                if not path.endswith("/") and _is_sent(path):
                    self._add_named(path)
        if shared.unread:
            paths = tuple(sorted(shared.unread))
            shared.unread.clear()
            shared.sources.update(dict.fromkeys(paths, Source()) | (yield ReadSources(paths)))
        if self._texts:
            scripts, self._texts = self._texts, {}
            texts = yield ReadTexts(tuple(sorted(scripts)))
            for path, text in sorted(texts.items()):
                for script in scripts[path]:
                    self.add(read_script(text, script))

    def _name(self, word: str) -> bool:
        """Add the file or folder that a word of the command names; return whether it is done."""
        folder, name = posixpath.split(word)
        if not name or name == "." or leads_out(word):
            return True
        listing = self.shared.finder.listing(folder)
        if listing is None:
            return False
        if name in listing.files:
            self._add_named(listing.files[name])
        elif name in listing.folders and self.overlay.code is not None:
            self._folders.add(posixpath.join(self.overlay.code, word))
        return True

    def _add_named(self, path: str) -> None:
        self.shared.add(path, "named in the command")
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

    def _run(self, script: ScriptStart) -> bool:
        """Add a script that another interpreter runs; return whether it is done."""
        listing = self.shared.finder.listing(posixpath.dirname(script.name))
        if listing is None:
            return False
        path = listing.files.get(posixpath.basename(script.name))
        if path is None:
            self.missing_scripts.append(script)
            return True
        self.shared.add(path, "run by the command")
        if script.is_shell:
            self._texts.setdefault(path, []).append(script)
        return True


def learn(unknown: set[str], *overlays: Overlay) -> Generator[Question, Any, None]:
    """Ask what is in the folders that are unknown."""
    if unknown:
        folders = sorted(unknown)
        unknown.clear()
        patterns = tuple(f"{pattern_of(each)}/*" if each else "*" for each in folders)
        existing = yield Exist(patterns)
        for overlay in overlays:
            overlay.add(folders, existing)


def ask_until_known(
    decide: Callable[[], T], unknown: tuple[set[str], ...], overlays: tuple[Overlay, ...]
) -> Generator[Question, Any, T]:
    """Return what `decide` decides once all is known that it asks for."""
    while True:
        result = decide()
        asked = set().union(*unknown)
        if not asked:
            return result
        for each in unknown:
            each.clear()
        yield from learn(asked, *overlays)


def _is_sent(path: str) -> bool:
    name = posixpath.basename(path)
    is_build_file = name == "BUILD" or name.startswith("BUILD.")
    return not is_build_file and not _NEVER_SENT.intersection(path.split("/"))


def read_script(text: str, script: ScriptStart) -> CommandCode:
    return CommandCode((), (), (), ())

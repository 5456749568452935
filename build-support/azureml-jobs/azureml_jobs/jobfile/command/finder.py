"""Follow commands in order: what each of them runs and names, and in which folder it starts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from azureml_jobs.jobfile.command.bash import split_commands
from azureml_jobs.jobfile.command.entry_point import EntryPoint, Kind
from azureml_jobs.jobfile.command.words import Command, Group, Word

_ASSIGNMENT = re.compile(r"[^\W\d]\w*\+?=")
# Words after which a command begins, and words that open and close what may not be run at all.
_LEADING_WORDS = {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "coproc"}
_OPENING_WORDS = {"if", "while", "until", "for", "select", "case", "function"}
_CLOSING_WORDS = {"fi", "done", "esac"}

# `env env env …` and `eval eval eval …` recur once a word.
_DEEPEST = 60

Arguments = Sequence[Word]


@dataclass
class EntryPointFinder:
    """Collects the entry points of commands in `found`.

    `program_of` returns what reads the arguments of the program that a word names, or None for a
    program that is not known.
    """

    program_of: Callable[[Word], Program | None]
    found: list[EntryPoint] = field(default_factory=list)
    # Relative to where the job starts; None after a `cd` to a folder that only the run knows.
    folder: str | None = ""
    pushed_folders: list[str | None] = field(default_factory=list)
    open_blocks: int = 0
    is_alternative: bool = False
    depth: int = 0

    def read(self, items: Sequence[Command | Group]) -> None:
        for item in items:
            if isinstance(item, Group):
                before = self.folder, list(self.pushed_folders), self.open_blocks
                self.read(item.items)
                self.folder, self.pushed_folders, self.open_blocks = before
            else:
                self.is_alternative = item.after == "||"
                self.run(item.words)
                self.add_files(item.read_from)

    def read_text(self, words: Arguments) -> None:
        """Read commands that are given as words: `bash -c "…"`, `eval …`."""
        self.read([Group(split_commands(" ".join(word.text for word in words)))])

    def run(self, words: Arguments) -> None:
        """Read a simple command."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("the command is nested too deeply")
        words = self._without_prefixes(words)
        if words:
            program = self.program_of(words[0])
            if program is not None:
                program(self, words[1:])
            else:
                self.add_script_or_file(words[0])
                self.add_files(words[1:])
        self.depth -= 1

    def _without_prefixes(self, words: Arguments) -> Arguments:
        """Drop what may precede a command's name: `if`, `!`, `NAME=value`."""
        index = 0
        while index < len(words):
            word = words[index]
            keyword = "" if word.is_quoted else word.text
            if keyword in _OPENING_WORDS:
                self.open_blocks += 1
            elif keyword in _CLOSING_WORDS:
                self.open_blocks = max(0, self.open_blocks - 1)
            if keyword == "function":
                index += 2
            elif keyword in _LEADING_WORDS:
                index += 1
            elif _ASSIGNMENT.match(word.text):
                if word.is_plain:
                    self._add_file(word.text.partition("=")[2])
                index += 1
            else:
                break
        return words[index:]

    def change_folder(self, target: Word | None) -> None:
        """Follow a `cd` to `target`; None is the home folder."""
        may_not_happen = self.open_blocks or self.is_alternative
        if self.folder is None or may_not_happen or target is None or not target.is_relative_path:
            self.folder = None
        else:
            self.folder = posixpath.normpath(posixpath.join(self.folder, target.text))

    def add_module(self, name: str) -> None:
        self._add("module", name)

    def add_script(self, word: Word) -> None:
        """Add what the command runs."""
        if not word.is_relative_path:
            return
        if self.folder is None:
            self._add_file(word.text)
        else:
            self._add("script", posixpath.normpath(posixpath.join(self.folder, word.text)))

    def add_script_or_file(self, word: Word) -> None:
        # A program without such a suffix may be built by an earlier step: `make && ./train`.
        if word.is_script:
            self.add_script(word)
        else:
            self.add_files([word])

    def add_files(self, words: Arguments) -> None:
        """Add every word that may be a file, and the value of every `NAME=VALUE`."""
        for word in words:
            if not word.is_plain:
                continue
            name, equals, value = word.text.partition("=")
            if not equals or not name.startswith("-"):
                self._add_file(word.text)
            if equals:
                self._add_file(value)

    def _add_file(self, text: str) -> None:
        word = Word(text)
        if word.is_relative_path and word.looks_like_a_path:
            self._add("file", posixpath.normpath(posixpath.join(self.folder or "", text)))

    def _add(self, kind: Kind, value: str) -> None:
        if value and value != ".":
            self.found.append(EntryPoint(kind, value))


Program = Callable[[EntryPointFinder, Arguments], None]

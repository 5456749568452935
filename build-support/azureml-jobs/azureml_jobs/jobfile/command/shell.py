"""Follow commands in order, as a shell would: its folder, its variables, what each command runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from azureml_jobs.jobfile.command.arguments import ASSIGNMENT, UNKNOWN, Argument, expand_braces
from azureml_jobs.jobfile.command.bash import KEYWORDS, split_commands
from azureml_jobs.jobfile.command.bash_words import DEEPEST, Command, Group, Part, Word
from azureml_jobs.jobfile.command.code import ScriptStart
from azureml_jobs.jobfile.command.surroundings import BRANCHES, Arguments, Surroundings
from azureml_jobs.jobfile.paths import leads_out

# A value that doubles with each of some assignments would not fit into the memory.
_LONGEST = 1000
_GLOB = re.compile(r"[*?]|\[.+\]")
_OPENING = {*BRANCHES, "while", "until", "for", "select", "{"}
_NEXT_BRANCH = {"elif", "else"}
_CLOSING = {"fi", "done", "esac", "}"}


@dataclass(kw_only=True)
class Shell(Surroundings):
    """Collects in `found` what the commands run.

    run_program: reads the arguments of a program, which the first of them names.
    starts_command: whether a word among other arguments is a program that runs code.
    reads, standard_input, output: of the command that is read, where they are known.
    """

    run_program: Program
    starts_command: Callable[[Argument], bool]
    depth: int = 0
    pushed_folders: list[str] = field(default_factory=list)
    reads: Arguments = ()
    standard_input: str | None = None
    output: str | None = None

    def read(self, items: Iterable[Command | Group]) -> None:
        for item in items:
            if isinstance(item, Group):
                self.output = self.read_in_subshell(item.items)
            else:
                self._read_command(item)

    def read_in_subshell(self, items: Iterable[Command | Group]) -> str | None:
        """Return what the commands print, where it is known."""
        with self.subshell() as inner:
            inner.read(items)
            return inner.output

    @contextmanager
    def subshell(self) -> Iterator[Shell]:
        """Give a shell that finds the same, and whose folder and variables are its own."""
        inner = replace(
            self,
            variables=dict(self.variables),
            exported=set(self.exported),
            pushed_folders=list(self.pushed_folders),
            blocks=list(self.blocks),
            depth=self.depth + 1,
            output=None,
        )
        if inner.depth > DEEPEST:
            raise RecursionError
        yield inner

    def read_text(self, text: str) -> None:
        """Read the commands of another shell, such as `bash -c "…"`."""
        self.read_in_subshell(self.split(text))

    def split(self, text: str) -> tuple[Command | Group, ...]:
        """Return the commands of a text that bash reads only when it gets there."""
        try:
            return split_commands(text, self.depth)
        except ValueError as error:
            self.warn(f"runs a text that cannot be read: {error}")
            return ()

    def _read_command(self, command: Command) -> None:
        if command.after.startswith(";") and command.after != ";" and self.blocks:
            self.folder = self.blocks[-1][1]
        words = self._arguments(command.words)
        piped = self.output if command.after == "|" else None
        given = self._text(command.standard_input) if command.standard_input else piped
        self.reads = self._arguments(command.reads)
        self.standard_input, self.output = given, None
        self.source = self.source if UNKNOWN in command.source else command.source
        self.is_alternative = command.after == "||"
        if not (len(words) == 1 and self._follow_keyword(words[0])):
            self.run(words)
        self.name_files(self.reads)
        for target in self._arguments(command.writes):
            self.make(target, self.output)

    def run(self, words: Arguments) -> None:
        """Read a simple command: assignments, the name of a program, its arguments."""
        count = next((i for i, word in enumerate(words) if not is_assignment(word)), len(words))
        assignments, words = words[:count], words[count:]
        if not words:
            self.assign(assignments)
            return
        self.depth += 1
        if self.depth > DEEPEST:
            raise RecursionError
        before = self.variables, self.exported
        if assignments:
            self.variables, self.exported = dict(self.variables), set(self.exported)
            self.assign(assignments, exports=True)
        self.run_program(self, words)
        if assignments:
            self.variables, self.exported = before
        self.depth -= 1

    def assign(self, assignments: Arguments, *, exports: bool = False) -> None:
        for argument in assignments:
            name, equals, value = argument.text.partition("=")
            if name.endswith("+"):
                name = name[:-1]
                value = self.variables.get(name, UNKNOWN) + value
            if equals:
                self.variables[name] = value if len(value) < _LONGEST else UNKNOWN
                if not name.endswith("PATH"):
                    self.name_files([argument])
            if exports:
                self.exported.add(name)

    def _follow_keyword(self, word: Argument) -> bool:
        """Follow a word such as `if`; return whether it is one."""
        if word.is_quoted:
            return False
        keyword = word.text
        if keyword in _OPENING:
            self.blocks.append((keyword, self.folder))
        elif keyword in _NEXT_BRANCH and self.blocks:
            self.folder = self.blocks[-1][1]
        elif keyword in _CLOSING and self.blocks:
            opening, folder = self.blocks.pop()
            if opening in BRANCHES and folder != self.folder:
                self.is_certain = False
        return keyword in KEYWORDS

    def _arguments(self, words: Iterable[Word]) -> list[Argument]:
        return [argument for word in words for argument in self._expand(word)]

    def _expand(self, word: Word) -> list[Argument]:
        """Return what bash makes of a word: variables replaced, split at their blanks."""
        is_quoted = any(part.is_quoted for part in word)
        unquoted = "".join(part.text for part in word if part.kind == "text" and not part.is_quoted)
        keeps_blanks = ASSIGNMENT.match(unquoted) is not None
        texts = [""]
        for part in word:
            value = self._value(part)
            if part.kind in ("text", "unknown") or part.is_quoted or keeps_blanks:
                texts[-1] += value
            else:
                first, *rest = re.split(r"[ \t\n]+", value)
                texts[-1] += first
                texts += rest
        if "{" in unquoted:
            texts = [each for text in texts for each in expand_braces(text)]
        has_glob = not keeps_blanks and _GLOB.search(unquoted) is not None
        return [Argument(text, is_quoted, has_glob) for text in texts if text or is_quoted]

    def _text(self, word: Iterable[Part]) -> str:
        return "".join(map(self._value, word))

    def _value(self, part: Part) -> str:
        if part.kind == "text":
            return part.text
        if part.items:
            output = self.read_in_subshell(part.items)
            return UNKNOWN if output is None or part.kind == "unknown" else output.rstrip("\n")
        if part.kind == "variable" and part.text == "PWD":
            return self.absolute("")
        if part.kind == "variable" and part.text in self.variables:
            return self.variables[part.text]
        return UNKNOWN if part.default is None else self._text(part.default)

    def start_script(self, script: Argument, is_read: bool) -> None:
        """Note a file that another interpreter runs."""
        path = self.path(script.text)
        if not script.is_plain:
            self.warn_of_unknown()
        elif is_read and path in self.found.texts:
            self.read_text(self.found.texts[path])
        elif not path.startswith("/"):
            pythonpath = tuple(entry for entry in self.pythonpath() if not leads_out(entry))
            folder = "" if leads_out(self.folder) else self.folder
            start = ScriptStart(path, folder, pythonpath, is_read, self.surely_runs(path))
            self.found.scripts.append(start)


def is_assignment(word: Argument) -> bool:
    return ASSIGNMENT.match(word.text) is not None


Program = Callable[[Shell, Arguments], None]

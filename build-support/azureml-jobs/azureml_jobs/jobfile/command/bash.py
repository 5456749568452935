"""Split bash text into its simple commands, without running any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from azureml_jobs.jobfile.command.bash_words import (
    BLANK,
    ENDS_WORD,
    PROCESS_SUBSTITUTIONS,
    BashWordReader,
)
from azureml_jobs.jobfile.command.words import EXPRESSION, Command, Group, Word

_EXPRESSION_TEXT = re.compile(r"\$\{\{.*?\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_OPERATORS = ("&&", "||", ";;&", ";;", ";&", "|&", "&", "|", ";", "\n")
_REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||<|>")


def split_commands(text: str) -> tuple[Command | Group, ...]:
    """Return the commands of `text` in order.

    Raises `ValueError` when a quote, `$(`, `${` or backtick is never closed.
    """
    text = text.replace("\r\n", "\n").replace("\0", "")
    text = _EXPRESSION_TEXT.sub(EXPRESSION, text)
    text = _OPTIONAL_PART.sub(r" \1 ", text)
    return tuple(_CommandReader(text).read_commands())


@dataclass
class _Commands:
    """The commands of one shell, and the one that is being read."""

    items: list[Command | Group] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    read_from: list[Word] = field(default_factory=list)
    after: str = ""

    def end_command(self, operator: str = "") -> None:
        if self.words or self.read_from:
            self.items.append(Command(tuple(self.words), tuple(self.read_from), self.after))
            self.words.clear()
            self.read_from.clear()
        self.after = operator


class _CommandReader(BashWordReader):
    def __init__(self, text: str, depth: int = 0) -> None:
        super().__init__(text, depth)
        # Here-documents that begin in the next line: delimiter, and whether tabs are stripped.
        self.here_documents: list[tuple[str, bool]] = []

    def read_commands(self, opened: str = "") -> list[Command | Group]:
        commands = _Commands()
        while self.position < len(self.text):
            if self.at(")"):
                self.position += 1
                commands.end_command()
                if opened:
                    return commands.items
            elif not self._skip_blank() and not self._read_operator(commands):
                commands.words.append(self.read_word(commands.items))
        commands.end_command()
        if opened:
            raise ValueError(f"the command has a `{opened}` that is never closed")
        return commands.items

    def _skip_blank(self) -> bool:
        """Skip a blank, a continued line or a comment; return whether there was one."""
        if self.at(*BLANK):
            self.position += 1
        elif self.at("\\\n"):
            self.position += 2
        elif self.at("#"):
            self.skip_to("\n")
        else:
            return False
        return True

    def _read_operator(self, commands: _Commands) -> bool:
        """Read anything that is no word of a command; return whether there was something."""
        if self.at("((") and not commands.words and self.skip_arithmetic():
            return True
        if self.at(*PROCESS_SUBSTITUTIONS):
            return False
        if self.at("("):
            commands.end_command()
            self.position += 1
            self.read_group(commands.items, "(")
            return True
        redirection = _REDIRECTION.match(self.text, self.position)
        if redirection is not None:
            self._read_redirection(redirection.group(), commands)
            return True
        operator = next((each for each in _OPERATORS if self.at(each)), "")
        if operator:
            self.position += len(operator)
            commands.end_command(operator)
            if operator == "\n":
                self._skip_here_documents()
        return bool(operator)

    def _read_redirection(self, operator: str, commands: _Commands) -> None:
        before = self.text[self.position - 1 : self.position]
        last = commands.words[-1] if commands.words else None
        if last and last.text.isdigit() and not last.is_quoted and before.isdigit():
            # The number of a file: `2>&1`.
            commands.words.pop()
        self.position += len(operator)
        while self.at(*BLANK):
            self.position += 1
        if self.position >= len(self.text) or self.at(*ENDS_WORD):
            return
        target = self.read_word(commands.items)
        if operator in ("<", "<>"):
            commands.read_from.append(target)
        elif operator in ("<<", "<<-"):
            self.here_documents.append((target.text, operator == "<<-"))

    def _skip_here_documents(self) -> None:
        for delimiter, strips_tabs in self.here_documents:
            while self.position < len(self.text):
                start = self.position
                self.skip_to("\n")
                line = self.text[start : self.position]
                self.position += 1
                if (line.lstrip("\t") if strips_tabs else line) == delimiter:
                    break
        self.here_documents.clear()

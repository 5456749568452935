"""Read the words of bash text: quotes, variables, substitutions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self, TypeVar

_T = TypeVar("_T")

# Azure ML replaces them before bash sees the command, within quotes too.
EXPRESSION = re.compile(r"(\$\{\{.*?\}\})")
_ENDS_WORD = " \t\r\n;&|()<>"
_PLAIN_TEXT = re.compile(r"[\w./:=,+@%^~-]+|[ \n]+|.", re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_ANSI_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)
_VARIABLE = re.compile(r"\$([a-zA-Z_]\w*|[0-9?@*#!-]|\$(?!\{\{))", re.ASCII)
_BRACED = re.compile(
    r"\$\{([!#]?)([a-zA-Z_]\w*|\d+|[?@*#!$-])((?:\[[@*\w$]+\])?)(:?[-=+?]|)", re.ASCII
)
# Nobody writes a command that is nested more deeply.
DEEPEST = 40


@dataclass(frozen=True)
class Part:
    """A part of a word.

    kind: "text" is itself, "variable" the value of the one named `text`, or else `default`,
        "output" what `items` print, "unknown" what only the run knows: `${{…}}`, `$((…))`.
    """

    kind: Literal["text", "variable", "output", "unknown"]
    text: str = ""
    is_quoted: bool = False
    items: tuple[Command | Group, ...] = ()
    default: Word | None = None


Word = tuple[Part, ...]


@dataclass
class Command:
    """A simple command, or one keyword such as `then`.

    after: the operator before it. reads, writes: the files of `<` and `>`.
    standard_input: what a here-document or `<<<` gives.
    source: its text, for messages.
    """

    after: str = ""
    source: str = ""
    words: list[Word] = field(default_factory=list)
    reads: list[Word] = field(default_factory=list)
    writes: list[Word] = field(default_factory=list)
    standard_input: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Group:
    """Commands that run in a shell of their own: `( … )`."""

    items: tuple[Command | Group, ...]


@dataclass
class WordReader(ABC):
    """Reads words from `position` on; a subclass reads the commands in substitutions."""

    text: str
    depth: int = 0
    position: int = 0

    @abstractmethod
    def read_commands(self, opened: str = "") -> tuple[Command | Group, ...]:
        """Read up to the `)` that closes `opened`, or to the end when nothing is open."""

    def at(self, *texts: str) -> bool:
        return self.text.startswith(texts, self.position)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past what matches here."""
        found = pattern.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def take(self, pattern: re.Pattern[str]) -> str:
        found = self.match(pattern)
        return found.group() if found else ""

    def skip_arithmetic(self) -> bool:
        """Skip `(( … ))`, whose `<` and `&` are no operators of commands; return if it was one."""
        open_brackets = 0
        for index in range(self.position, len(self.text)):
            open_brackets += {"(": 1, ")": -1}.get(self.text[index], 0)
            if open_brackets == 0:
                is_arithmetic = self.text[index - 1] == ")"
                self.position = index + 1 if is_arithmetic else self.position
                return is_arithmetic
        return False

    def read_group(self, opened: str) -> tuple[Command | Group, ...]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise RecursionError
        items = self.read_commands(opened)
        self.depth -= 1
        return items

    def read_later(self, text: str, read: Callable[[Self], tuple[_T, ...]]) -> tuple[_T, ...]:
        """Read a text of which bash reads the quotes only when it gets there."""
        try:
            return read(type(self)(text, self.depth))
        except ValueError:
            return ()

    def read_word(self) -> Word:
        return self.read_parts(_ENDS_WORD)

    def read_parts(self, ends: str, is_quoted: bool = False) -> Word:
        """Read up to one of the characters `ends`, or to the end of the text."""
        parts: list[Part] = []
        while self.position < len(self.text):
            char = self.text[self.position]
            if not is_quoted and self.at("<(", ">("):
                self.position += 2
                parts.append(Part("unknown", items=self.read_group("(")))
            elif char in ends:
                break
            elif char == "\\":
                following = self.text[self.position + 1 : self.position + 2]
                self.position += 2
                if following != "\n":
                    is_escape = not is_quoted or following in "$`\\" or following == ends
                    parts.append(Part("text", following if is_escape else char + following, True))
            elif char in "$`":
                parts += self._read_expansion(is_quoted)
            elif char == "'" and not is_quoted:
                parts += self.literal(self._closed(_SINGLE_QUOTED, "single quote"))
            elif char == '"' and (not is_quoted or ends == "}"):
                self.position += 1
                parts += (Part("text", "", True), *self.read_parts('"', is_quoted=True))
                self._close('"', "double quote")
            else:
                parts.append(Part("text", self.take(_PLAIN_TEXT), is_quoted))
        return tuple(parts)

    def literal(self, text: str) -> Word:
        """Return quoted text, in which Azure ML replaces its expressions."""
        pieces = enumerate(EXPRESSION.split(text))
        return tuple(Part("unknown" if index % 2 else "text", each, True) for index, each in pieces)

    def _read_expansion(self, is_quoted: bool) -> Word:
        """Read what begins with `$` or a backtick."""
        if expression := self.match(EXPRESSION):
            return (Part("unknown", expression[1], is_quoted),)
        if self.at("`"):
            text = re.sub(r"\\([$`\\])", r"\1", self._closed(_BACKTICKS, "backtick"))
            items = self.read_later(text, lambda reader: reader.read_group(""))
            return (Part("output", "", is_quoted, items),)
        if self.at("$'") and not is_quoted:
            text = self._closed(_ANSI_QUOTED, "single quote")
            return self.literal(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))
        if self.at("$("):
            self.position += 1
            if self.at("((") and self.skip_arithmetic():
                return (Part("unknown"),)
            self.position += 1
            return (Part("output", "", is_quoted, self.read_group("$(")),)
        if self.at("${"):
            return (self._read_braced(is_quoted),)
        if variable := self.match(_VARIABLE):
            return (Part("variable", variable[1], is_quoted),)
        self.position += 1
        return (Part("text", "$", is_quoted),)

    def _read_braced(self, is_quoted: bool) -> Part:
        """Read `${NAME}`, `${NAME:-DEFAULT}`, `${NAME[@]}`; the value of any other is unknown."""
        found = self.match(_BRACED)
        if found is None:
            self.position += 2
        prefix, name, index, operator = found.groups() if found else ("", "", "", "")
        rest = self.read_parts("}", is_quoted=is_quoted and bool(operator))
        self._close("}", "`${`")
        is_default = operator in (":-", "-", ":=", "=")
        if prefix or not name or operator.endswith("+") or (rest and not operator):
            return Part("unknown", is_quoted=is_quoted)
        return Part("variable", name, is_quoted and not index, default=rest if is_default else None)

    def _closed(self, pattern: re.Pattern[str], what: str) -> str:
        """Return what is between the two ends that `pattern` has."""
        found = self.match(pattern)
        if found is None:
            raise ValueError(f"the command has a {what} that is never closed")
        return found[1]

    def _close(self, end: str, what: str) -> None:
        if not self.at(end):
            raise ValueError(f"the command has a {what} that is never closed")
        self.position += 1

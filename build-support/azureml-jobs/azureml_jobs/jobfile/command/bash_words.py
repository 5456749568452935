"""Read the words of bash text: quotes, variables, substitutions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from azureml_jobs.jobfile.command.words import EXPRESSION, Command, Group, Word

BLANK = " \t\r"
ENDS_WORD = " \t\r\n;&|()<>"
PROCESS_SUBSTITUTIONS = ("<(", ">(")

_NAME = re.compile(r"[^\W\d]\w*|[0-9?@*#!$-]")
_GLOB = "*?["
_BRACE_EXPANSION = re.compile(r"\{[^\s{}]*(,|\.\.)")
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)
# Nobody writes a command that is nested more deeply.
_DEEPEST = 40


class BashWordReader(ABC):
    """Reads words from `position` on; a subclass reads the commands in substitutions.

    Its methods take the list `items`, to which they add a group for each substitution in a word.
    """

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text = text
        self.depth = depth
        self.position = 0
        self._check_depth()

    @abstractmethod
    def read_commands(self, opened: str = "") -> list[Command | Group]:
        """Read up to the `)` that closes `opened`, or to the end when nothing is open."""

    def at(self, *texts: str) -> bool:
        return self.text.startswith(texts, self.position)

    def skip_to(self, char: str) -> None:
        found = self.text.find(char, self.position)
        self.position = len(self.text) if found < 0 else found

    def skip_arithmetic(self) -> bool:
        """Skip `(( … ))`, whose `<` and `&` are no operators of commands; return if it was one."""
        end = self._closing(self.position, "()")
        if end is None or self.text[end - 2] != ")":
            return False
        self.position = end
        return True

    def read_group(self, items: list[Command | Group], opened: str) -> None:
        self.depth += 1
        self._check_depth()
        items.append(Group(tuple(self.read_commands(opened))))
        self.depth -= 1

    def read_word(self, items: list[Command | Group]) -> Word:
        parts: list[str] = []
        is_plain, is_quoted = True, False
        while self.position < len(self.text):
            char = self.text[self.position]
            if self.at(*PROCESS_SUBSTITUTIONS):
                self.position += 2
                self.read_group(items, "(")
                is_plain = False
            elif char in ENDS_WORD:
                break
            else:
                part, part_is_plain = self._read_part(char, items)
                parts.append(part)
                is_plain = is_plain and part_is_plain
                is_quoted = is_quoted or char in "'\""
        return Word("".join(parts), is_plain, is_quoted)

    def _read_part(self, char: str, items: list[Command | Group]) -> tuple[str, bool]:
        """Return the next part of a word, and whether it is plain."""
        if char == "'":
            return self._read_single_quoted()
        if char == '"':
            return self._read_double_quoted(items)
        if char == "\\":
            following = self.text[self.position + 1 : self.position + 2]
            self.position += 2
            return following.replace("\n", ""), True
        if char in "$`":
            return self._read_expansion(items)
        begins_braces = _BRACE_EXPANSION.match(self.text, self.position) is not None
        self.position += 1
        return char, not (char in _GLOB or char == EXPRESSION or begins_braces)

    def _read_single_quoted(self) -> tuple[str, bool]:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise ValueError("the command has a single quote that is never closed")
        content = self.text[self.position + 1 : end]
        self.position = end + 1
        return content, EXPRESSION not in content

    def _read_double_quoted(self, items: list[Command | Group]) -> tuple[str, bool]:
        parts: list[str] = []
        is_plain = True
        self.position += 1
        while self.position < len(self.text):
            char = self.text[self.position]
            if char == '"':
                self.position += 1
                return "".join(parts), is_plain
            if char == "\\":
                following = self.text[self.position + 1 : self.position + 2]
                if following != "\n":
                    parts.append(following if following in '$`"\\' else char + following)
                self.position += 2
            elif char in "$`":
                part, part_is_plain = self._read_expansion(items)
                parts.append(part)
                is_plain = is_plain and part_is_plain
            else:
                is_plain = is_plain and char != EXPRESSION
                parts.append(char)
                self.position += 1
        raise ValueError("the command has a double quote that is never closed")

    def _read_expansion(self, items: list[Command | Group]) -> tuple[str, bool]:
        start = self.position
        is_expanded = self._skip_expansion(items)
        return self.text[start : self.position], not is_expanded

    def _skip_expansion(self, items: list[Command | Group]) -> bool:
        """Skip what begins with `$` or a backtick; return whether bash would replace it."""
        if self.at("`"):
            self._read_backticks(items)
            return True
        if self.at("$(("):
            self.position += 1
            if self.skip_arithmetic():
                return True
            self.position -= 1
        if self.at("$("):
            self.position += 2
            self.read_group(items, "$(")
            return True
        if self.at("${"):
            end = self._closing(self.position + 1, "{}")
            if end is None:
                raise ValueError("the command has a `${` that is never closed")
            self.position = end
            return True
        self.position += 1
        name = _NAME.match(self.text, self.position)
        if name is None:
            return False
        self.position = name.end()
        return True

    def _read_backticks(self, items: list[Command | Group]) -> None:
        content = _BACKTICKS.match(self.text, self.position)
        if content is None:
            raise ValueError("the command has a backtick that is never closed")
        self.position = content.end()
        inner = re.sub(r"\\([$`\\])", r"\1", content.group(1))
        items.append(Group(tuple(type(self)(inner, self.depth + 1).read_commands())))

    def _closing(self, start: int, pair: str) -> int | None:
        """Return the position after the bracket that closes the one at `start`."""
        depth = 0
        for index in range(start, len(self.text)):
            char = self.text[index]
            depth += (char == pair[0]) - (char == pair[1])
            if depth == 0:
                return index + 1
        return None

    def _check_depth(self) -> None:
        if self.depth > _DEEPEST:
            raise ValueError("the command is nested too deeply")

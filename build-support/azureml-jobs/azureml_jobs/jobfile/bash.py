"""Splitting bash text into its simple commands, without running any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Deeper nesting is no command that a person wrote.
_DEEPEST = 40

# Stands for `${{…}}` while the text is split. Azure ML replaces those before bash sees the command,
# within quotes too. A noncharacter of Unicode, so that no text holds it.
_EXPRESSION = "\ufdd0"
_EXPRESSION_TEXT = re.compile(r"\$\{\{.*?\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)

_BLANK = " \t\r"
_ENDS_WORD = " \t\r\n;&|()<>"
_OPERATORS = ("&&", "||", ";;&", ";;", ";&", "|&", "&", "|", ";", "\n")
_REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||<|>")
_NAME = re.compile(r"[^\W\d]\w*|[0-9?@*#!$-]")
_GLOB = "*?["
_BRACE_EXPANSION = re.compile(r"\{[^\s{}]*(,|\.\.)")
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """One word of a command, quotes removed.

    is_plain: bash and Azure ML take it as it stands: it holds no `$…`, no `${{…}}`, no glob.
    is_variable: it holds shell variables, and no expression of Azure ML.
    source: the text of a word that is itself a command (`bash -c "…"`), variables kept.
    """

    text: str
    is_plain: bool = True
    is_quoted: bool = False
    source: str = ""

    @property
    def is_variable(self) -> bool:
        return not self.is_plain and _EXPRESSION not in self.text


@dataclass(frozen=True)
class Command:
    """A simple command: its words, the files that it reads by `<`, and the operator before it."""

    words: tuple[Word, ...]
    read_from: tuple[Word, ...] = ()
    after: str = ""


@dataclass(frozen=True)
class Group:
    """Commands that run in a shell of their own: `( … )`, `$( … )`, a pair of backticks."""

    items: tuple[Command | "Group", ...]


def split_commands(text: str) -> tuple[Command | Group, ...]:
    """Return the commands of `text` in the order in which they stand.

    Raises `ValueError` when a quote, `$(`, `${` or backtick is never closed.
    """
    text = text.replace("\r\n", "\n").replace("\0", "")
    text = _EXPRESSION_TEXT.sub(_EXPRESSION, text)
    text = _OPTIONAL_PART.sub(r" \1 ", text)
    return _Splitter(text, depth=0).split()


@dataclass
class _Splitter:
    text: str
    depth: int
    position: int = 0
    # Here-documents whose text begins in the next line: delimiter, and whether tabs are stripped.
    pending: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.depth > _DEEPEST:
            raise ValueError("the command is nested too deeply")

    def split(self) -> tuple[Command | Group, ...]:
        items: list[Command | Group] = []
        while self.position < len(self.text):
            items += self._until_closed(opened="")
        return tuple(items)

    def _until_closed(self, opened: str) -> list[Command | Group]:
        """Read up to the `)` that closes `opened`, or to the end when nothing is open."""
        items: list[Command | Group] = []
        words: list[Word] = []
        read_from: list[Word] = []
        after = ""

        def finish(operator: str) -> None:
            nonlocal after
            if words or read_from:
                items.append(Command(tuple(words), tuple(read_from), after))
                words.clear()
                read_from.clear()
            after = operator

        while self.position < len(self.text):
            char = self.text[self.position]
            if char in _BLANK:
                self.position += 1
            elif self.text.startswith("\\\n", self.position):
                self.position += 2
            elif char == "#":
                self._skip_to("\n")
            elif self.text.startswith("((", self.position) and not words and self._skip_sum():
                continue
            elif self.text.startswith(("<(", ">("), self.position):
                words.append(self._word(items))
            elif char == "(":
                finish("")
                self.position += 1
                self._deeper()
                items.append(Group(tuple(self._until_closed(opened="("))))
                self.depth -= 1
            elif char == ")":
                self.position += 1
                finish("")
                if opened:
                    return items
            elif self._redirection() is not None:
                self._redirect(words, read_from, items)
            elif self._operator():
                operator = self._operator()
                self.position += len(operator)
                finish(operator)
                if operator == "\n":
                    self._skip_here_documents()
            else:
                words.append(self._word(items))
        finish("")
        if opened:
            raise ValueError(f"the command has a `{opened}` that is never closed")
        return items

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("the command is nested too deeply")

    def _operator(self) -> str:
        return next((op for op in _OPERATORS if self.text.startswith(op, self.position)), "")

    def _redirection(self) -> "re.Match[str]" | None:
        return _REDIRECTION.match(self.text, self.position)

    def _redirect(
        self, words: list[Word], read_from: list[Word], items: list[Command | Group]
    ) -> None:
        match = self._redirection()
        if match is None:
            return
        operator = match.group()
        before = self.text[self.position - 1 : self.position]
        if words and words[-1].text.isdigit() and not words[-1].is_quoted and before.isdigit():
            # The number of a file: `2>&1`.
            words.pop()
        self.position = match.end()
        while self.position < len(self.text) and self.text[self.position] in _BLANK:
            self.position += 1
        if self.position >= len(self.text) or self.text[self.position] in _ENDS_WORD:
            return
        target = self._word(items)
        if operator in ("<", "<>"):
            read_from.append(target)
        elif operator in ("<<", "<<-"):
            self.pending.append((target.text, operator == "<<-"))

    def _skip_here_documents(self) -> None:
        for delimiter, strips_tabs in self.pending:
            while self.position < len(self.text):
                start = self.position
                self._skip_to("\n")
                line = self.text[start : self.position]
                self.position += 1
                if (line.lstrip("\t") if strips_tabs else line) == delimiter:
                    break
        self.pending.clear()

    def _skip_to(self, char: str) -> None:
        found = self.text.find(char, self.position)
        self.position = len(self.text) if found < 0 else found

    def _skip_sum(self) -> bool:
        """Step over `(( … ))`, whose `<` and `&` are no operators of commands."""
        depth = 0
        for index in range(self.position, len(self.text)):
            char = self.text[index]
            depth += (char == "(") - (char == ")")
            if depth == 0:
                if self.text[index - 1] != ")":
                    return False
                self.position = index + 1
                return True
        return False

    def _word(self, items: list[Command | Group]) -> Word:
        parts: list[str] = []
        source: list[str] = []
        is_plain = True
        is_quoted = False
        while self.position < len(self.text):
            char = self.text[self.position]
            if self.text.startswith(("<(", ">("), self.position):
                self.position += 2
                self._substitute(items, "(")
                is_plain = False
            elif char in _ENDS_WORD:
                break
            elif char == "\\":
                following = self.text[self.position + 1 : self.position + 2]
                if following != "\n":
                    parts.append(following)
                    source.append(following)
                self.position += 2
            elif char == "'":
                content = self._single_quoted()
                parts.append(content)
                source.append(content)
                is_quoted = True
                is_plain = is_plain and _EXPRESSION not in content
            elif char == '"':
                content, raw, plain = self._double_quoted(items)
                parts.append(content)
                source.append(raw)
                is_quoted = True
                is_plain = is_plain and plain
            elif char in "$`":
                start = self.position
                if self._expansion(items):
                    is_plain = False
                parts.append(self.text[start : self.position])
                source.append(self.text[start : self.position])
            else:
                if char in _GLOB or char == _EXPRESSION or self._begins_brace_expansion():
                    is_plain = False
                parts.append(char)
                source.append(char)
                self.position += 1
        return Word("".join(parts), is_plain, is_quoted, "".join(source))

    def _begins_brace_expansion(self) -> bool:
        return _BRACE_EXPANSION.match(self.text, self.position) is not None

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise ValueError("the command has a single quote that is never closed")
        content = self.text[self.position + 1 : end]
        self.position = end + 1
        return content

    def _double_quoted(self, items: list[Command | Group]) -> tuple[str, str, bool]:
        """Return the content, the content as a command's text, and whether it is plain."""
        parts: list[str] = []
        is_plain = True
        self.position += 1
        while self.position < len(self.text):
            char = self.text[self.position]
            if char == '"':
                self.position += 1
                content = "".join(parts)
                return content, content, is_plain
            if char == "\\":
                following = self.text[self.position + 1 : self.position + 2]
                if following != "\n":
                    parts.append(following if following in '$`"\\' else char + following)
                self.position += 2
            elif char in "$`":
                start = self.position
                if self._expansion(items):
                    is_plain = False
                parts.append(self.text[start : self.position])
            else:
                is_plain = is_plain and char != _EXPRESSION
                parts.append(char)
                self.position += 1
        raise ValueError("the command has a double quote that is never closed")

    def _expansion(self, items: list[Command | Group]) -> bool:
        """Step over what begins with `$` or a backtick; say whether bash would replace it."""
        if self.text[self.position] == "`":
            self._backticks(items)
            return True
        if self.text.startswith("$((", self.position):
            self.position += 1
            if self._skip_sum():
                return True
            self.position -= 1
        if self.text.startswith("$(", self.position):
            self.position += 2
            self._substitute(items, "$(")
            return True
        if self.text.startswith("${", self.position):
            self._parameter()
            return True
        self.position += 1
        name = _NAME.match(self.text, self.position)
        if name is None:
            return False
        self.position = name.end()
        return True

    def _substitute(self, items: list[Command | Group], opened: str) -> None:
        self._deeper()
        items.append(Group(tuple(self._until_closed(opened))))
        self.depth -= 1

    def _backticks(self, items: list[Command | Group]) -> None:
        content = _BACKTICKS.match(self.text, self.position)
        if content is None:
            raise ValueError("the command has a backtick that is never closed")
        self.position = content.end()
        inner = re.sub(r"\\([$`\\])", r"\1", content.group(1))
        items.append(Group(_Splitter(inner, self.depth + 1).split()))

    def _parameter(self) -> None:
        depth = 0
        for index in range(self.position + 1, len(self.text)):
            char = self.text[index]
            depth += (char == "{") - (char == "}")
            if depth == 0:
                self.position = index + 1
                return
        raise ValueError("the command has a `${` that is never closed")

"""Split bash text into its simple commands, without running any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from azureml_jobs.jobfile.command.bash_words import Command, Group, Part, Word, WordReader

_OPTIONAL_PART = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+|#[^\n]*")
_OPERATOR = re.compile(r"&&|\|\||;;&|;;|;&|\|&|&(?!>)|[|;\n]")
_REDIRECTION = re.compile(
    r"(?:\d+|\{\w+\})?(&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||<(?!\()|>(?!\())(?:[ \t]|\\\n)*"
)
# Of a `case`: up to the `)` before the commands.
_IN = re.compile(r"(?:[ \t\n]|\\\n)+in\b")
_PATTERN = re.compile(
    r"""(?:\s|\\\n|\#[^\n]*\n)*+(?!esac\b)\(?(?:[^()\#"'\\;&]|"[^"]*"|'[^']*'|\\.)++\)""", re.DOTALL
)
_TO_THE_END = re.compile(r"(.*)", re.DOTALL)
_FUNCTION_NAME = re.compile(r"[ \t]+[^\s(){};&|<>]+")
# Each of them becomes a command of its own.
KEYWORDS = {"if", "then", "elif", "else", "fi", "while", "until", "for", "select", "do", "done"}
KEYWORDS |= {"case", "esac", "function", "{", "}", "!", "coproc"}


def split_commands(text: str, depth: int = 0) -> tuple[Command | Group, ...]:
    """Return the commands of `text` in order.

    Raises `ValueError` when a quote, `$(`, `${`, `(` or backtick is never closed.
    """
    text = text.replace("\r\n", "\n").replace("\0", "")
    return _CommandReader(_OPTIONAL_PART.sub(r"   \1  ", text), depth).read_commands()


@dataclass
class _CommandReader(WordReader):
    # Those whose text begins in the next line: delimiter, operator, where their text goes.
    here_documents: list[tuple[Word, str, list[Part]]] = field(default_factory=list)

    def read_commands(self, opened: str = "") -> tuple[Command | Group, ...]:
        items: list[Command | Group] = []
        command, start = Command(), self.position

        def end(position: int, operator: str = "") -> tuple[Command, int]:
            """End the command before `operator`, and return the next one with its start."""
            command.source = self.text[start:position].strip()
            if command.words or command.reads or command.writes:
                items.append(command)
            return Command(operator), position + len(operator)

        while self.position < len(self.text):
            before = self.position
            if self.take(_BLANK):
                continue
            if operator := self.take(_OPERATOR):
                command, start = end(before, operator)
                if operator == "\n":
                    self._read_here_documents()
                elif len(operator) > 1 and ";" in operator:
                    self.take(_PATTERN)
            elif self.at(")"):
                self.position += 1
                command, start = end(before, ")")
                if opened:
                    return tuple(items)
            elif self.at("((") and not command.words and self.skip_arithmetic():
                continue
            elif self.at("(") and command.words and self.text[before - 1] == "=":
                self._read_array(command.words)
            elif self.at("("):
                end(before)
                self.position += 1
                items.append(Group(self.read_group("(")))
                command, start = Command(), self.position
            elif redirection := self.match(_REDIRECTION):
                self._read_redirection(redirection[1], command)
            else:
                command.words.append(self.read_word())
                if keyword := _keyword(command.words):
                    command, start = end(self.position)
                    self._read_after(keyword)
        if opened:
            raise ValueError(f"the command has a `{opened}` that is never closed")
        end(self.position)
        return tuple(items)

    def _read_after(self, keyword: str) -> None:
        if keyword == "function":
            self.take(_FUNCTION_NAME)
        elif keyword == "case":
            self.take(_BLANK)
            self.read_word()
            self.take(_IN)
            self.take(_PATTERN)

    def _read_array(self, words: list[Word]) -> None:
        """Read `NAME=( … )` as one word: its values with blanks between."""
        self.position += 1
        items = self.read_group("(")
        values = [word for item in items if isinstance(item, Command) for word in item.words]
        joined = [part for word in values for part in (*word, Part("text", " ", True))]
        words[-1] = (*words[-1], *joined)

    def _read_redirection(self, operator: str, command: Command) -> None:
        target = self.read_word()
        if operator in ("<", "<>"):
            command.reads.append(target)
        elif operator == "<<<":
            command.standard_input[:] = target
        elif operator.startswith("<<"):
            self.here_documents.append((target, operator, command.standard_input))
        elif operator != "<&" and not (operator == ">&" and _is_number(target)):
            command.writes.append(target)

    def _read_here_documents(self) -> None:
        for word, operator, standard_input in self.here_documents:
            tabs = r"\t*" if operator == "<<-" else ""
            delimiter = re.escape("".join(part.text for part in word))
            lines = re.compile(rf"((?:.*\n)*?){tabs}{delimiter}(?:\n|\Z)")
            found = self.match(lines) or self.match(_TO_THE_END)
            text = re.sub(rf"^{tabs}", "", found[1] if found else "", flags=re.MULTILINE)
            is_literal = any(part.is_quoted for part in word)
            read = self.literal(text) if is_literal else self.read_later(text, _read_quoted)
            standard_input[:] = read
        self.here_documents.clear()


def _read_quoted(reader: WordReader) -> Word:
    return reader.read_parts("", is_quoted=True)


def _keyword(words: list[Word]) -> str:
    """Return the keyword that the words are, or nothing."""
    match words:
        case [(Part(text=text, is_quoted=False),)] if text in KEYWORDS:
            return text
    return ""


def _is_number(word: Word) -> bool:
    return "".join(part.text for part in word).rstrip("-").isdigit()

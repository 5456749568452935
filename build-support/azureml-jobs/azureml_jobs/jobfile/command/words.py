"""What bash text consists of: words, simple commands, and groups of commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Stands for `${{…}}` while a command is read. Azure ML replaces those before bash sees the command,
# within quotes too. A noncharacter of Unicode, so that it is in no text.
EXPRESSION = "\ufdd0"

PYTHON_SUFFIXES = (".py", ".pyz", ".pex")
SCRIPT_SUFFIXES = (*PYTHON_SUFFIXES, ".sh", ".bash", ".zsh", ".R", ".r", ".jl", ".pl", ".js")

_URL = re.compile(r"\w[\w+.-]+:")
_SUFFIX = re.compile(r"[^/\s]\.[A-Za-z]\w{0,11}$")


@dataclass(frozen=True)
class Word:
    """One word of a command, quotes removed.

    is_plain: bash and Azure ML use it unchanged: it has no `$…`, no `${{…}}`, no glob.
    """

    text: str
    is_plain: bool = True
    is_quoted: bool = False

    @property
    def is_variable(self) -> bool:
        """Whether it has shell variables, and no expression of Azure ML."""
        return not self.is_plain and EXPRESSION not in self.text

    @property
    def is_relative_path(self) -> bool:
        """Whether it can be a path relative to the current folder."""
        return bool(
            self.is_plain
            and self.text
            and self.text[0] not in "/~-"
            and not _URL.match(self.text)
            and "\n" not in self.text
            and "\0" not in self.text
        )

    @property
    def looks_like_a_path(self) -> bool:
        return "/" in self.text or bool(_SUFFIX.search(self.text))

    @property
    def is_python_file(self) -> bool:
        return self.is_plain and self.text.endswith(PYTHON_SUFFIXES)

    @property
    def is_script(self) -> bool:
        return self.text.endswith(SCRIPT_SUFFIXES)


@dataclass(frozen=True)
class Command:
    """A simple command: its words, the files that it reads by `<`, and the operator before it."""

    words: tuple[Word, ...]
    read_from: tuple[Word, ...] = ()
    after: str = ""


@dataclass(frozen=True)
class Group:
    """Commands that run in their own shell: `( … )`, `$( … )`, a pair of backticks."""

    items: tuple[Command | Group, ...]

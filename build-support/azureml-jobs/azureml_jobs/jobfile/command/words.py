"""What bash text consists of: words, simple commands, and groups of commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


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


@dataclass(frozen=True)
class Command:
    """A simple command, or one keyword such as `then`.

    after: the operator before it. reads, writes: the files of `<` and `>`.
    standard_input: what a here-document or `<<<` gives.
    source: its text, for messages.
    """

    words: tuple[Word, ...]
    after: str = ""
    source: str = ""
    reads: tuple[Word, ...] = ()
    writes: tuple[Word, ...] = ()
    standard_input: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Group:
    """Commands that run in a shell of their own: `( … )`."""

    items: tuple[Command | Group, ...]

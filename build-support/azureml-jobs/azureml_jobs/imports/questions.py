"""What the closure must know of the repository; its caller answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exist:
    """Which of these exist?

    Patterns are literal repository paths, `folder/*` and `folder/**`. The answer is a set of paths,
    in which folders end with a slash. `folder/**` need not give folders.
    """

    patterns: tuple[str, ...]


@dataclass(frozen=True)
class ReadSources:
    """What do these files of Python import? The answer maps each path to its `Source`."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class ReadTexts:
    """What is in these files? The answer maps each path to its text."""

    paths: tuple[str, ...]


Question = Exist | ReadSources | ReadTexts

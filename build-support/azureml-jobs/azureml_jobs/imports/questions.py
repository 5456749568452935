"""What the closure must know of the repository; its caller answers."""

from __future__ import annotations

import glob
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.imports.source import read_source

T = TypeVar("T")


@dataclass(frozen=True)
class Exist:
    """Which of these exist?

    Patterns are literal repository paths, `folder/*` and `folder/**`. The answer is a set of paths,
    in which folders end with a slash. `folder/**` need not give folders.
    """

    patterns: tuple[str, ...]


@dataclass(frozen=True)
class ListFolders:
    """What is in these folders?

    The answer maps each to the names in it. Those of folders end with a slash, and "" is the
    repository. A folder that does not exist has nothing.
    """

    folders: tuple[str, ...]


@dataclass(frozen=True)
class ReadSources:
    """What do these files of Python import? The answer maps each path to its `Source`."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class ReadTexts:
    """What is in these files? The answer maps each path to its text."""

    paths: tuple[str, ...]


Question = Exist | ListFolders | ReadSources | ReadTexts


def learn(*overlays: Overlay) -> Generator[Question, Any, bool]:
    """Ask what is in the folders that are unknown, and return whether there were any."""
    unknown = set[str]().union(*(each.unknown for each in overlays))
    if unknown:
        names = yield ListFolders(tuple(sorted(unknown)))
        for overlay in overlays:
            overlay.unknown.clear()
            overlay.entries.update(names)
    return bool(unknown)


def ask_until_known(decide: Callable[[], T], *overlays: Overlay) -> Generator[Question, Any, T]:
    """Return what `decide` decides once the overlays know all that it asks them."""
    while True:
        result = decide()
        if not (yield from learn(*overlays)):
            return result


def answer_from_folder(
    root: Path, questions: Generator[Question, Any, T], python: tuple[int, int]
) -> T:
    """Return the result of `questions`, whose paths are relative to `root`."""
    answer: Any = None
    while True:
        try:
            question = questions.send(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(question, Exist):
            answer = {path for each in question.patterns for path in _existing(root, each)}
        elif isinstance(question, ListFolders):
            answer = {each: _names_in(root / each) for each in question.folders}
        elif isinstance(question, ReadSources):
            paths = {path: (root / path).read_bytes() for path in question.paths}
            answer = {path: read_source(code, path, python) for path, code in paths.items()}
        else:
            answer = {path: (root / path).read_text(errors="replace") for path in question.paths}


def _names_in(folder: Path) -> frozenset[str]:
    inside = folder.iterdir() if folder.is_dir() else ()
    return frozenset(f"{each.name}/" if each.is_dir() else each.name for each in inside)


def _existing(root: Path, pattern: str) -> list[str]:
    found = glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True)
    return [f"{path}/" if (root / path).is_dir() else path for path in found]

"""Ask for what must be known."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from azureml_jobs.imports.overlay import Overlay, pattern_of
from azureml_jobs.imports.questions import Exist, Question

T = TypeVar("T")


def learn(unknown: set[str], *overlays: Overlay) -> Generator[Question, Any, None]:
    """Ask what is in the folders that are unknown."""
    if unknown:
        folders = sorted(unknown)
        unknown.clear()
        existing = yield Exist(tuple(f"{pattern_of(each)}/*".lstrip("/") for each in folders))
        for overlay in overlays:
            overlay.add(folders, existing)


def ask_until_known(
    decide: Callable[[], T], unknown: tuple[set[str], ...], overlays: tuple[Overlay, ...]
) -> Generator[Question, Any, T]:
    """Return what `decide` decides once all is known that it asks for."""
    while True:
        result = decide()
        asked = set().union(*unknown)
        if not asked:
            return result
        for each in unknown:
            each.clear()
        yield from learn(asked, *overlays)

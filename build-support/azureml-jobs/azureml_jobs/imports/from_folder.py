"""Answer the questions of a closure from a folder of this machine."""

from __future__ import annotations

import glob
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

from azureml_jobs.imports.questions import Exist, Question, ReadSources
from azureml_jobs.imports.source import read_source

T = TypeVar("T")


def answer_from_folder(
    root: Path, questions: Generator[Question, Any, T], python: tuple[int, int]
) -> T:
    """Return the result of `questions`, whose paths are relative to `root`."""
    answer: Any = None
    try:
        while True:
            question = questions.send(answer)
            if isinstance(question, Exist):
                answer = {path for each in question.patterns for path in _existing(root, each)}
            elif isinstance(question, ReadSources):
                answer = {
                    path: read_source((root / path).read_bytes(), path, python)
                    for path in question.paths
                }
            else:
                answer = {
                    path: (root / path).read_text(errors="replace") for path in question.paths
                }
    except StopIteration as stop:
        return stop.value


def _existing(root: Path, pattern: str) -> list[str]:
    found = glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True)
    return [f"{path}/" if (root / path).is_dir() else path for path in found]

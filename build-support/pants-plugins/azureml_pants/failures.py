"""How a user's mistake comes out of Pants' own goals: the message alone, without a traceback."""

from __future__ import annotations

from typing import Iterable


class JobFailure(Exception):
    """A message of the job tool, as it stands."""


def check_mistakes(mistakes: Iterable[str]) -> None:
    """Raise `JobFailure` with all of them, unless there are none."""
    text = "\n\n".join(mistakes)
    if text:
        raise JobFailure(text)


def check_bundled(exit_code: int, stderr: bytes) -> None:
    """Raise `JobFailure` with what the job tool said, unless it succeeded."""
    if exit_code != 0:
        raise JobFailure(stderr.decode(errors="replace").strip() or f"exit status {exit_code}")

"""Show how a pipeline goes: a table that is drawn again in a terminal, else a line per change."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from typing import Self

from azureml_jobs.base.console import duration_text, status_coloured
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED, NOT_STARTED, RUNNING
from azureml_jobs.local.output import Log, Sink
from azureml_jobs.local.pipeline.branch import Branch, StepRun

_EVERY_SECONDS = 0.5
_INDENT = "  "
# Where letters are wider than one column a line is longer than it looks here.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_CLEAR_LINE, _CLEAR_BELOW = "\x1b[K", "\x1b[J"
# What is shown first where there is no room for all.
_RANKS = {FAILED: 0, RUNNING: 0, CANCELED: 1, NOT_STARTED: 2, COMPLETED: 3}


class View:
    """The view of the pipeline `root` on standard output; `log` has a line for each change.

    It never waits for a reader that pauses: `show` writes what the reader takes.
    """

    target = 1

    def __init__(self, name: str, root: Branch, log: Log) -> None:
        self._name = name
        self._root = root
        self._log = log
        self._is_live = os.isatty(self.target) and os.environ.get("TERM") != "dumb"
        self.sink = Sink(self.target)
        self._drawn: list[int] = []
        self._next = 0.0
        self._started = time.monotonic()

    @property
    def seconds(self) -> float | None:
        """After how many seconds the view wants to be shown again."""
        return _EVERY_SECONDS if self._is_live else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Show the last state."""
        if self._is_live:
            self.sink.add(self._frame(is_last=True))
        # A reader that pauses must not keep the pipeline from ending.
        self._send(5.0)

    def changed(self, step: StepRun) -> None:
        """Report a step whose status has changed."""
        line = f"{time.strftime('%H:%M:%S')} {step.label}: {_change(step)}\n"
        self._log.write(line.encode("utf-8", "surrogateescape"))
        if self._is_live:
            self._next = 0.0
        else:
            self.sink.add(line.encode("utf-8", "surrogateescape"))

    def show(self) -> None:
        """Draw the table if it is due, and nothing waits to be written."""
        is_due = self._is_live and time.monotonic() >= self._next
        if is_due and not self.sink.is_pending:
            self._next = time.monotonic() + _EVERY_SECONDS
            self.sink.add(self._frame())
        self._send(0.0)

    def _send(self, seconds: float) -> None:
        while self.sink.is_pending and select.select([], [self.target], [], seconds)[1]:
            self.sink.send()

    def _frame(self, is_last: bool = False) -> bytes:
        columns, rows = _terminal_size()
        title = f"{self._name}  {duration_text(time.monotonic() - self._started)}"
        lines = [(title, "", ""), *step_lines(self._root, sys.maxsize if is_last else rows - 2)]
        # A terminal that became narrower has broken the lines that it shows.
        drawn = sum(max(1, -(-length // columns)) for length in self._drawn)
        self._drawn = [min(len("".join(line)), columns) for line in lines]
        text = "".join(f"{_cut(line, columns)}{_CLEAR_LINE}\n" for line in lines)
        up = f"\x1b[{drawn}A" if drawn else ""
        return f"{_NO_WRAP}\r{up}{text}{_CLEAR_BELOW}{_WRAP}".encode(
            sys.stdout.encoding or "utf-8", "replace"
        )


# What is before the status of a step, the status, and what is after it.
_Line = tuple[str, str, str]


def step_lines(root: Branch, count: int) -> list[_Line]:
    """Return a line for each step, at most `count`: its name, status and time, and why.

    Where there are more, those of steps that have nothing to say yet, or any more, are left out.
    """
    steps = list(_steps(root))
    width = max((len(indented) for indented, _, _ in steps), default=0)
    kept = list(range(len(steps)))
    if len(steps) > count:
        by_rank = sorted(kept, key=lambda index: _RANKS.get(steps[index][2].status, 0))
        kept = sorted(by_rank[: max(count - 1, 0)])
    lines = []
    for indented, branch, step in (steps[index] for index in kept):
        seconds = "" if step.seconds is None else duration_text(step.seconds)
        # Aligned with the longest status.
        after = f"{'':<{len(NOT_STARTED) - len(step.status)}}{seconds:>11}  {_why(branch, step)}"
        lines.append((f"{_INDENT}{indented:<{width}}  ", step.status, after.rstrip()))
    hidden = len(steps) - len(lines)
    return [*lines, (f"{_INDENT}and {hidden} more", "", "")] if hidden else lines


def _why(branch: Branch, step: StepRun) -> str:
    if step.status == NOT_STARTED:
        return f"waits for {', '.join(branch.waits_for(step)) or 'its turn'}"
    return _one_line(step.note)


def _cut(line: _Line, columns: int) -> str:
    """Return the line, at most as long as the terminal is wide, with its status in colour."""
    before, status, after = line
    room = columns - len(before) - len(status)
    if room < 0:
        return "".join(line)[:columns]
    return f"{before}{status_coloured(status) if status else ''}{after[:room]}"


def _steps(branch: Branch, indent: str = "") -> Iterator[tuple[str, Branch, StepRun]]:
    for step in branch.steps.values():
        yield indent + step.step.name, branch, step
        if step.branch is not None:
            yield from _steps(step.branch, indent + _INDENT)


def _change(step: StepRun) -> str:
    parts = [step.status]
    if step.has_ended and step.seconds is not None:
        parts.append(f"after {duration_text(step.seconds)}")
    why = _one_line(step.note) or ("" if step.has_ended or not step.folder else step.folder.name)
    return " ".join([*parts, f"({why})"] if why else parts)


def _one_line(text: str) -> str:
    """Return the first line, without what would move the cursor."""
    return "".join(each for each in text.partition("\n")[0] if each.isprintable())


def _terminal_size() -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(View.target)
    except OSError:
        columns, rows = 0, 0
    return columns or 80, rows or 24

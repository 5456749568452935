"""The live view of a pipeline fits the terminal."""

from __future__ import annotations

import os
import pty
import struct
import termios
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path

import pytest
from azureml_jobs.base.job_status import COMPLETED, FAILED, RUNNING
from azureml_jobs.jobfile.pipeline.model import Pipeline, Step
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.job_run import OwnedJob
from azureml_jobs.local.output import Log
from azureml_jobs.local.pipeline.branch import Branch
from azureml_jobs.local.pipeline.view import View, step_lines
from azureml_jobs.local.record import JobRecord

Live = Callable[[int], str]


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    """A pipeline of steps that ran one after the other, up to the second last."""
    names = ("prepare", "train", "evaluate", "report")
    steps = [
        Step(name, "command", "p.yaml", ("jobs", name), {}, after=names[index - 1 : index])
        for index, name in enumerate(names)
    ]
    job = OwnedJob(JobFolder(tmp_path / "job"), JobRecord("exp-1"))
    branch = Branch(Pipeline(tuple(steps)), job, {})
    for name, status in zip(names, (COMPLETED, FAILED, RUNNING)):
        branch.steps[name].status = status
    branch.steps["train"].note = "the command\x1b[2J ended\nat once"
    return branch


def test_a_line_for_each_step_says_why_it_stands_there(branch: Branch) -> None:
    assert ["".join(line) for line in step_lines(branch, 9)] == [
        "  prepare   Completed",
        "  train     Failed                 the command[2J ended",
        "  evaluate  Running",
        "  report    NotStarted             waits for evaluate",
    ]


def test_a_low_terminal_shows_what_runs_and_what_failed(branch: Branch) -> None:
    assert ["".join(line) for line in step_lines(branch, 3)] == [
        "  train     Failed                 the command[2J ended",
        "  evaluate  Running",
        "  and 2 more",
    ]


@pytest.fixture
def live(branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """Draws the table in a terminal of that many columns, and returns what came."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with open(theirs, "w", encoding="utf-8") as terminal:

        def draw(columns: int) -> str:
            # pytest replaces it between a fixture and the test.
            monkeypatch.setattr("sys.stdout", terminal)
            monkeypatch.setattr(View, "target", theirs)
            monkeypatch.setenv("TERM", "xterm")
            ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            views[:] = views or [View("exp-1", branch, Log(tmp_path / "log"))]
            views[0].changed(branch.steps["train"])
            views[0].show()
            return os.read(ours, 1 << 16).decode()

        views: list[View] = []
        yield draw
    os.close(ours)


def test_the_table_is_drawn_again_in_place(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    first = live(30)
    assert "\x1b[31mFailed\x1b[0m" in first
    monkeypatch.setenv("NO_COLOR", "1")
    second = live(15)
    assert "\r\n  train     Fai\x1b[K" in second
    # The terminal has broken four of the five lines.
    assert second.startswith("\x1b[?7l\r\x1b[9A") and second.endswith("\x1b[?7h")

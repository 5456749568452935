from __future__ import annotations

import io
import re

import pytest
from azureml_jobs.base.progress import Progress, StatusLine


def standard_error(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> io.StringIO:
    out = io.StringIO()
    out.isatty = lambda: is_terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    return out


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\r") if line.strip()]


def test_prints_progress_once_a_transfer_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = standard_error(monkeypatch, is_terminal=True)
    progress = Progress("Receiving", 2, 4000)
    progress.show(100.5)
    assert terminal.getvalue() == ""
    # Bytes count before their file is complete.
    progress.advance(1000, files=0)
    progress.show(101.0)
    progress.advance(1000)
    # Not more often than a person can read.
    progress.show(101.1)
    progress.show(101.2)
    progress.end()
    # A server may not say how large a file is.
    unknown = Progress("Fetching", 1, 0)
    unknown.advance(1500, files=0)
    unknown.show(1e12)
    # Where only calls are counted, and an earlier line was longer.
    calls = Progress("Reading", 4, 0)
    calls.advance(0)
    calls.show(1e12)
    assert lines(terminal.getvalue()) == [
        "Receiving [######                  ] 0/2 files, 1.0 kB of 4.0 kB\x1b[K",
        "Receiving [############            ] 1/2 files, 2.0 kB of 4.0 kB\x1b[K",
        "\x1b[K",
        "Fetching 1.5 kB\x1b[K",
        "Reading [######                  ] 1/4 files\x1b[K",
    ]


@pytest.mark.parametrize(
    ("is_terminal", "printed"),
    [
        (True, "\r# Queued\x1b[K\r# Queued for 0.0 s\x1b[K\r# Running\x1b[K\n# Finalizing\n"),
        (False, "# Queued\n# Running\n# Finalizing\n"),
    ],
    ids=["in a terminal", "elsewhere"],
)
def test_prints_each_status_once_and_lets_a_terminal_s_line_change(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, printed: str
) -> None:
    terminal = standard_error(monkeypatch, is_terminal)
    progress = Progress("Copying", 1, 1)
    if not is_terminal:
        progress.show(1e12)
    line = StatusLine()
    for status in ("Queued", "Queued", "Running"):
        line.show(status)
    # The job prints.
    line.leave()
    line.show("Finalizing")
    assert re.sub(r"\d\d:\d\d:\d\d", "#", terminal.getvalue()) == printed

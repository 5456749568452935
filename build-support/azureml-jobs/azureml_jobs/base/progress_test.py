from __future__ import annotations

import io

import pytest
from azureml_jobs.base.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\r") if line.strip()]


def test_prints_progress_once_a_transfer_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
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
    assert lines(terminal.getvalue()) == [
        "Receiving [######                  ] 0/2 files, 1.0 kB of 4.0 kB",
        "Receiving [############            ] 1/2 files, 2.0 kB of 4.0 kB",
        "\x1b[K",
    ]


def test_prints_what_has_come_of_a_file_of_unknown_size(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress("Fetching", 1, 0)
    progress.advance(1500, files=0)
    progress.show(1e12)
    assert lines(terminal.getvalue()) == ["Fetching 1.5 kB"]


def test_prints_nothing_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    progress = Progress("Copying", 1, 1)
    progress.show(1e12)
    progress.end()
    assert file.getvalue() == ""

from __future__ import annotations

import io
import re

import pytest
from azureml_jobs.base.progress import StatusLine


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
    out = io.StringIO()
    out.isatty = lambda: is_terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", out)
    line = StatusLine()
    for status in ("Queued", "Queued", "Running"):
        line.show(status)
    # The job prints.
    line.leave()
    line.show("Finalizing")
    assert re.sub(r"\d\d:\d\d:\d\d", "#", out.getvalue()) == printed

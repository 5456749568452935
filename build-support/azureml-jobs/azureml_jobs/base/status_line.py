"""Print the statuses that a job passes through, each with its time."""

from __future__ import annotations

import sys
import time

from azureml_jobs.base.console import duration_text


class StatusLine:
    """One line each or, in a terminal before the job prints anything, one line that changes."""

    def __init__(self) -> None:
        self._status = ""
        self._since = 0.0
        self._is_open = False
        self._changes = sys.stderr.isatty()

    def show(self, status: str) -> None:
        is_new = status != self._status
        if is_new:
            self._status, self._since = status, time.monotonic()
            self._clock = time.strftime("%H:%M:%S")
        if not self._changes:
            if is_new:
                print(f"{self._clock} {status}", file=sys.stderr, flush=True)
            return
        lasts = "" if is_new else f" for {duration_text(time.monotonic() - self._since)}"
        line = f"\r{self._clock} {status}{lasts}\x1b[K"
        print(line, end="", file=sys.stderr, flush=True)
        self._is_open = True

    def leave(self) -> None:
        """Leave the line as it is, because something else is printed."""
        if self._is_open:
            print(file=sys.stderr, flush=True)
        self._is_open = self._changes = False

"""Print the progress of a transfer, and the statuses that a job passes through."""

from __future__ import annotations

import sys
import threading
import time

from azureml_jobs.base.console import duration_text, size_text

_SHOWN_AFTER_SECONDS = 1.0
_SHOWN_EVERY_SECONDS = 0.2
_BAR = 24


class Progress:
    """`verb` is like `Sending`; `files` and `size` (bytes) are those of the whole transfer."""

    def __init__(self, verb: str, files: int, size: int) -> None:
        self._verb = verb
        self._files = files
        self._size = size
        self._done_files = 0
        self._done_size = 0
        self._lock = threading.Lock()
        self._next = time.monotonic() + _SHOWN_AFTER_SECONDS
        self._is_shown = False

    def advance(self, size: int, files: int = 1) -> None:
        with self._lock:
            self._done_files += files
            self._done_size += size

    def show(self, now: float) -> None:
        """Print the line if it is due at `now`, in seconds of the monotonic clock."""
        if now < self._next or not sys.stderr.isatty():
            return
        self._next = now + _SHOWN_EVERY_SECONDS
        self._is_shown = True
        print(f"\r{self._verb} {self._text()}\x1b[K", end="", file=sys.stderr, flush=True)

    def _text(self) -> str:
        if self._done_size > self._size:
            # A server may not say how large a file is.
            return size_text(self._done_size)
        done, whole, sizes = self._done_files, self._files, ""
        if self._size:
            done, whole = self._done_size, self._size
            sizes = f", {size_text(done)} of {size_text(whole)}"
        filled = "#" * int(done / max(whole, 1) * _BAR)
        return f"[{filled:<{_BAR}}] {self._done_files}/{self._files} files{sizes}"

    def end(self) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_shown = False


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

    def clear(self) -> None:
        """Remove the line from the terminal."""
        if self._is_open:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_open = False

    def leave(self) -> None:
        """Leave the line as it is, because something else is printed."""
        if self._is_open:
            print(file=sys.stderr, flush=True)
        self._is_open = self._changes = False

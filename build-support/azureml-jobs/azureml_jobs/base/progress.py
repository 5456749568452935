"""Print the progress of a transfer: in a terminal only, and only when it takes long."""

from __future__ import annotations

import sys
import threading
import time

from azureml_jobs.base.console import size_text

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
        print(f"\r{self._verb} {self._text()} ", end="", file=sys.stderr, flush=True)

    def _text(self) -> str:
        if self._done_size > self._size:
            # A server may not say how large a file is.
            return size_text(self._done_size)
        part = self._done_size / self._size if self._size else 1.0
        filled = "#" * int(part * _BAR)
        return (
            f"[{filled:<{_BAR}}] {self._done_files}/{self._files} files, "
            f"{size_text(self._done_size)} of {size_text(self._size)}"
        )

    def end(self) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_shown = False

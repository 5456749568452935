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
        part = self._done_size / self._size if self._size else 1.0
        filled = "#" * int(part * _BAR)
        # The size of a download may be unknown.
        whole = f" of {size_text(self._size)}" if self._size or not self._done_size else ""
        print(
            f"\r{self._verb} [{filled:<{_BAR}}] {self._done_files}/{self._files} files, "
            f"{size_text(self._done_size)}{whole} ",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_shown = False

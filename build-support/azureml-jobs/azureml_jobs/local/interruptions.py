"""Receive the signals that ask a run to end, without losing any and without a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType
from typing import Any, Self

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruptions:
    """While entered, signals are only recorded; `fileno()` becomes readable when one arrives.

    It becomes readable when a child ends, too, so that one `select` waits for everything. `ignored`
    signals have no effect on us, and their usual effect on a child.
    """

    def __init__(self, ignored: tuple[signal.Signals, ...] = ()) -> None:
        self._ignored = ignored
        self._received: list[int] = []
        self._seen: set[int] = set()
        self._previous: list[tuple[signal.Signals, Any]] = []
        self._wakeup = -1

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for signum in _ENDING:
            # Under `nohup` the run has to outlive the terminal.
            if signum == signal.SIGHUP and signal.getsignal(signum) == signal.SIG_IGN:
                continue
            # A child inherits SIG_IGN, but not a handler. With one even a job that a script started
            # in its background gets Ctrl-C.
            handler = _do_nothing if signum in self._ignored else self._record
            self._previous.append((signum, signal.signal(signum, handler)))
        self._previous.append((signal.SIGCHLD, signal.signal(signal.SIGCHLD, _do_nothing)))
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._previous:
            # Further presses of Ctrl-C were meant for the run, not for what we print after it.
            signal.signal(signum, signal.SIG_IGN if signum in self._seen else handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        return self._read

    def take(self) -> list[int]:
        """Return the signals that came since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass
        taken, self._received = self._received, []
        return taken

    def _record(self, signum: int, frame: FrameType | None) -> None:
        self._received.append(signum)
        self._seen.add(signum)


def _do_nothing(signum: int, frame: FrameType | None) -> None:
    """Let a signal reach the wake-up pipe, for which it needs a handler."""

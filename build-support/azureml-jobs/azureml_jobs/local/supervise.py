"""Wait for a child: pass output and signals on, keep its time limit, leave nothing of it."""

from __future__ import annotations

import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.output import Copy

# How long a job may clean up after it was asked to end.
GRACE_SECONDS = 30.0
# What is left of a job when its command has ended may still flush what it holds of the output, as
# in `python main.py > >(tee log)`.
_LINGER_SECONDS = 1.0
# More than a pipe holds.
_PIPE_BYTES = 4 * 1024 * 1024
# Pants, where it is between the terminal and us, passes a Ctrl-C on that reached us by itself.
_SAME_KEY_PRESS_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """`status` is the child's own, as a shell counts it: 128 + n for the signal n."""

    status: int
    signalled: int | None = None
    timed_out: bool = False


class Supervision:
    """One child until it ends.

    `ask` passes a signal on to it, `kill` ends at once whatever is left of it. `stopping` is called
    once, when the child is first asked to end.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        interruptions: Interruptions,
        *,
        ask: Callable[[int], None],
        kill: Callable[[], None],
        copies: Sequence[Copy] = (),
        grace: float = GRACE_SECONDS,
        timeout: float | None = None,
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self._process = process
        self._interruptions = interruptions
        self._ask = ask
        self._kill_rest = kill
        self._copies = copies
        self._grace = grace
        self._timeout = timeout
        self._stopping = stopping
        self._begun = time.monotonic()
        self._asked: float | None = None
        self._killed = False
        self._exited: float | None = None
        self._signalled: int | None = None
        self._timed_out = False

    def wait(self) -> Ended:
        """Return when the child has ended, its output is passed on, and none of it is left."""
        while True:
            self._handle_signals()
            self._handle_time()
            if self._exited is None and self._process.poll() is not None:
                self._exited = time.monotonic()
            if self._exited is not None and not self._is_lingering():
                break
            self._pass_on(self._wait_seconds())
        self._kill_rest()
        self._drain()
        code = self._process.returncode
        return Ended(128 - code if code < 0 else code, self._signalled, self._timed_out)

    def _handle_signals(self) -> None:
        for signum in self._interruptions.take():
            if self._signalled is None:
                self._signalled = signum
                self._stop(signum)
            elif time.monotonic() - (self._asked or 0) > _SAME_KEY_PRESS_SECONDS:
                self._kill()

    def _handle_time(self) -> None:
        now = time.monotonic()
        if self._asked is not None:
            if now - self._asked >= self._grace:
                self._kill()
        elif self._timeout is not None and now - self._begun >= self._timeout:
            self._timed_out = self._exited is None
            self._stop(signal.SIGTERM)

    def _stop(self, signum: int) -> None:
        if self._exited is None:
            # A closed terminal and a cancelled job look alike to the job: Azure ML sends SIGTERM.
            self._ask(signal.SIGINT if signum == signal.SIGINT else signal.SIGTERM)
        if self._asked is None:
            self._asked = time.monotonic()
            self._stopping()

    def _kill(self) -> None:
        if not self._killed:
            self._killed = True
            self._kill_rest()
            if self._exited is None:
                self._process.kill()

    def _is_lingering(self) -> bool:
        """Whether somebody still holds the ended child's output and may write to it."""
        if self._exited is None or all(copy.source is None for copy in self._copies):
            return False
        return time.monotonic() - self._exited < _LINGER_SECONDS

    def _wait_seconds(self) -> float | None:
        now = time.monotonic()
        moments: list[float] = []
        if self._exited is not None:
            moments.append(self._exited + _LINGER_SECONDS)
        if self._asked is not None:
            if not self._killed:
                moments.append(self._asked + self._grace)
        elif self._timeout is not None:
            moments.append(self._begun + self._timeout)
        return max(0.0, min(moments) - now) if moments else None

    def _pass_on(self, seconds: float | None) -> None:
        """Wait for a signal, for output, or for room to write it."""
        pending = [copy for copy in self._copies if copy.is_pending]
        # While one stream waits for its reader nothing more is taken, so that order is kept.
        sources = [] if pending else [c.source for c in self._copies if c.source is not None]
        readable, writable, _ = select.select(
            [self._interruptions.fileno(), *sources], [copy.target for copy in pending], [], seconds
        )
        for copy in pending:
            if copy.target in writable:
                copy.send()
        for copy in self._copies:
            if copy.source is not None and copy.source in readable:
                copy.receive()

    def _drain(self) -> None:
        """Pass on what the pipes still hold; a reader who pauses is waited for until a signal."""
        for copy in self._copies:
            taken = 0
            while True:
                while copy.is_pending:
                    self._handle_signals()
                    ready = select.select(
                        [self._interruptions.fileno()] if self._asked is None else [],
                        [copy.target],
                        [],
                        None if self._asked is None else 0.0,
                    )[1]
                    if ready:
                        copy.send()
                    elif self._asked is not None:
                        copy.forget_reader()
                # Somebody who got away from the job could go on writing for ever.
                received = copy.receive() if taken < _PIPE_BYTES else 0
                if not received:
                    break
                taken += received
            copy.close()

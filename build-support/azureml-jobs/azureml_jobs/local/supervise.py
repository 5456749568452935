"""Wait for children: pass on its output and our signals, keep its time limit, kill the rest."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

from azureml_jobs.base.progress import StatusLine
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.output import Copy, Sink

# As of timeout(1).
TIMED_OUT_STATUS = 124
# How long a job may clean up after it was asked to end.
GRACE_SECONDS = 30.0
# When the command of a job has ended, what else it started may still flush output, as in
# `python main.py > >(tee log)`.
_LINGER_SECONDS = 1.0
# How exactly times are kept, where there are any.
_TICK_SECONDS = 0.2
# More than a pipe holds.
_PIPE_BYTES = 4 * 1024 * 1024
# Between the terminal and us, Pants passes on a Ctrl-C that has reached us already.
SAME_KEY_PRESS_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """`status` is the child's own, as a shell counts it: 128 + n for the signal n.

    Of several children it is that of the first that failed, whose index is `failed`. `error` is why
    a job failed, where its status does not say that.
    """

    status: int
    signalled: int | None = None
    timed_out: bool = False
    failed: int = 0
    error: str = ""

    @property
    def exit_status(self) -> int:
        """The exit status of whoever waited for the child."""
        if self.signalled is not None:
            return 128 + self.signalled
        return TIMED_OUT_STATUS if self.timed_out else self.status


@dataclass
class Supervision:
    """The processes of one job, or a script, until they end; one that fails ends the others.

    `send_signal` passes a signal on to them, `kill` kills whatever is left of them. `on_stop` is
    called once, when somebody first asks them to end.
    """

    processes: Sequence[subprocess.Popen[bytes]]
    interruptions: Interruptions
    _: KW_ONLY
    send_signal: Callable[[int], None]
    kill: Callable[[], None]
    copies: Sequence[Copy] = ()
    grace: float = GRACE_SECONDS
    timeout: float | None = None
    on_stop: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._stopped_at: float | None = None
        self._killed = False
        self._failed: int | None = None
        self._exited_at: float | None = None
        self._signalled: int | None = None
        self._timed_out = False
        # Until a job prints its first line, which the first import of its packages keeps back.
        self._silence = StatusLine() if self.copies and sys.stderr.isatty() else None

    def wait(self) -> Ended:
        """Wait until all have ended, their output is passed on, and no process of them is left."""
        while True:
            self._handle_signals()
            self._handle_time()
            if self._exited_at is None and self._have_ended():
                self._exited_at = time.monotonic()
            if self._exited_at is not None and not self._is_lingering(self._exited_at):
                break
            by_time = self._silence or self._exited_at or self._stopped_at or self.timeout
            self._pass_on(_TICK_SECONDS if by_time else None)
        self.kill()
        self._end_silence()
        self._drain()
        failed = self._failed or 0
        code = self.processes[failed].returncode
        status = 128 - code if code < 0 else code
        return Ended(status, self._signalled, self._timed_out, failed)

    def _is_lingering(self, exited_at: float) -> bool:
        """Return whether another process may still write to the output of the ended child."""
        is_open = any(copy.source is not None for copy in self.copies)
        return is_open and time.monotonic() - exited_at < _LINGER_SECONDS

    def _have_ended(self) -> bool:
        codes = [process.poll() for process in self.processes]
        if self._failed is None:
            self._failed = next((index for index, code in enumerate(codes) if code), None)
        if None not in codes:
            return True
        if self._failed is not None and self._stopped_at is None:
            self._stopped_at = time.monotonic()
            self.send_signal(signal.SIGTERM)
        return False

    def _handle_signals(self) -> None:
        for signum in self.interruptions.take():
            self._end_silence()
            if self._signalled is None:
                self._signalled = signum
                self._stop(signum)
            elif time.monotonic() - (self._stopped_at or 0) > SAME_KEY_PRESS_SECONDS:
                self._kill_now()

    def _end_silence(self) -> None:
        if self._silence:
            self._silence.clear()
            self._silence = None

    def _handle_time(self) -> None:
        if self._silence:
            self._silence.show("Running without output")
        now = time.monotonic()
        if self._stopped_at is not None:
            if now - self._stopped_at >= self.grace:
                self._kill_now()
        elif self.timeout is not None and now - self._started >= self.timeout:
            self._timed_out = self._exited_at is None
            self._stop(signal.SIGTERM)

    def _stop(self, signum: int) -> None:
        if self._exited_at is None:
            # Like Azure ML, send SIGTERM to a job that is canceled, or whose terminal was closed.
            self.send_signal(signal.SIGINT if signum == signal.SIGINT else signal.SIGTERM)
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
            self.on_stop()

    def _kill_now(self) -> None:
        if not self._killed:
            self._killed = True
            self.kill()
            for process in self.processes:
                process.kill()

    def _pass_on(self, seconds: float | None) -> None:
        pending = [copy.sink for copy in self.copies if copy.sink.is_pending]
        # While one stream waits for its reader we read no more, to keep the order.
        sources = [] if pending else [c.source for c in self.copies if c.source is not None]
        readable, writable, _ = select.select(
            [self.interruptions.fileno(), *sources], [sink.target for sink in pending], [], seconds
        )
        ready = set(writable)
        # Who has begun a line goes on first.
        for sink in sorted(pending, key=lambda sink: not sink.is_within_line):
            if sink.target in ready:
                sink.send()
                # It may not take more for now.
                ready.remove(sink.target)
        for copy in self.copies:
            if copy.source is not None and copy.source in readable and copy.receive():
                self._end_silence()

    def _drain(self) -> None:
        """Pass on what the pipes still hold; wait for a reader that pauses until a signal comes."""
        for copy in sorted(self.copies, key=lambda copy: not copy.sink.is_within_line):
            taken = 0
            # A process that escaped from the job could go on writing for ever.
            while taken < _PIPE_BYTES and (received := copy.receive()):
                taken += received
                self._send_all(copy.sink)
            copy.close()
            self._send_all(copy.sink)

    def _send_all(self, sink: Sink) -> None:
        while sink.is_pending:
            self._handle_signals()
            ready = select.select(
                [self.interruptions.fileno()] if self._stopped_at is None else [],
                [sink.target],
                [],
                None if self._stopped_at is None else 0.0,
            )[1]
            if ready:
                sink.send()
            elif self._stopped_at is not None:
                sink.forget_reader()

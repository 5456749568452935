"""`docker push` with its progress on standard error, and with what it says kept."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from azureml_jobs.base.errors import OutsideError

_READ_BYTES = 1 << 16
_END_SECONDS = 5.0
# Of a layer that was sent; `Layer already exists` and `Mounted from` stand for the others.
_PUSHED = re.compile(rb"\b([0-9a-f]{12}): Pushed\b")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# More than the longest line that is looked for.
_KEPT_BYTES = 4096


@dataclass(frozen=True)
class Pushed:
    """How a push ended: its `status`, the ids of `layers` as Docker shows them, its last line."""

    status: int
    layers: frozenset[str]
    last_line: str


def push(reference: str, environment: Mapping[str, str]) -> Pushed:
    """Push an image that the engine has under this name.

    In a terminal Docker shows how far each layer is, elsewhere a line for each step. Docker's
    process ends with this call, whatever ends it.
    """
    ours, theirs = _terminal() if sys.stderr.isatty() else os.pipe()
    try:
        try:
            process = subprocess.Popen(
                ["docker", "push", reference],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
            )
        except OSError as error:
            raise OutsideError("docker", f"it cannot be started: {error.strerror}") from error
        finally:
            os.close(theirs)
        try:
            layers, end = _relayed(ours)
            status = process.wait()
        finally:
            _end(process)
    finally:
        os.close(ours)
    lines = [line.strip() for line in _CONTROL.sub("", end).splitlines() if line.strip()]
    return Pushed(status, layers, lines[-1] if lines else "it gave no reason")


def _terminal() -> tuple[int, int]:
    """A terminal as large as ours, from which what Docker shows in one can be read."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(sys.stderr.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    return ours, theirs


def _relayed(source: int) -> tuple[frozenset[str], str]:
    """Copy what comes to standard error; the layers that were sent, and the end of it all."""
    layers: set[str] = set()
    kept = b""
    while True:
        try:
            data = os.read(source, _READ_BYTES)
        except OSError:
            # A terminal ends so on Linux.
            data = b""
        if not data:
            return frozenset(layers), kept.decode("utf-8", "replace")
        sys.stderr.write(data.decode("utf-8", "replace"))
        sys.stderr.flush()
        kept += data
        layers.update(found.decode("ascii") for found in _PUSHED.findall(kept))
        kept = kept[-_KEPT_BYTES:]


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""Run `docker push`, and keep what its result needs of the output."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass

from azureml_jobs.base.errors import OutsideError

_READ_BYTES = 1 << 16
_STOP_SECONDS = 5.0
# A layer that was sent; others say `Layer already exists` or `Mounted from`.
_PUSHED = re.compile(rb"\b([0-9a-f]{12}): Pushed\b")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Longer than any line that is searched for.
_KEPT_BYTES = 4096


@dataclass(frozen=True)
class PushResult:
    """`status` is the exit status, `layers` are the short ids of the layers that were sent."""

    status: int
    layers: frozenset[str]
    last_line: str


def push(reference: str, environment: Mapping[str, str]) -> PushResult:
    """Push an image of the engine, and pass Docker's output on to standard error.

    Docker gets a terminal if there is one, to show the progress of each layer. Its process ends
    with this call, even when an exception does.
    """
    ours, theirs = _open_terminal() if sys.stderr.isatty() else os.pipe()
    try:
        process = subprocess.Popen(
            ["docker", "push", reference],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
    except OSError as error:
        os.close(ours)
        raise OutsideError("docker", f"it cannot be started: {error.strerror}") from error
    finally:
        os.close(theirs)
    try:
        layers, tail = _relay(ours)
        status = process.wait()
    finally:
        _stop(process)
        os.close(ours)
    lines = [line.strip() for line in _CONTROL.sub("", tail).splitlines() if line.strip()]
    return PushResult(status, layers, lines[-1] if lines else "it gave no reason")


def _open_terminal() -> tuple[int, int]:
    ours, theirs = os.openpty()
    with contextlib.suppress(termios.error):
        termios.tcsetwinsize(theirs, termios.tcgetwinsize(sys.stderr.fileno()))
    return ours, theirs


def _relay(source: int) -> tuple[frozenset[str], str]:
    """Copy the output to standard error; return the layers that were sent, and the last output."""
    layers: set[str] = set()
    kept = b""
    while True:
        try:
            data = os.read(source, _READ_BYTES)
        except OSError:
            # So ends a terminal on Linux.
            data = b""
        if not data:
            return frozenset(layers), kept.decode("utf-8", "replace")
        sys.stderr.write(data.decode("utf-8", "replace"))
        sys.stderr.flush()
        kept += data
        layers.update(found.decode("ascii") for found in _PUSHED.findall(kept))
        kept = kept[-_KEPT_BYTES:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""Copy what a child writes to our own output as it comes, and keep it in the log."""

from __future__ import annotations

import contextlib
import os
import select
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.local.code_sources import SourcePaths

_READ_BYTES = 65536


class Log:
    """The log file. A full disk stops the log and not the job; `error` is what happened."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.error: OSError | None = None

    def write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except OSError as error:
                # Later output is still tried, as the disk may have room again.
                self.error = error
                return

    def close(self) -> None:
        os.close(self._file)


class MarkedLines:
    """Puts a mark before each line of one stream, which it takes in pieces."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._rest = b""

    def take(self, data: bytes) -> bytes:
        """Return the lines that are whole now; without `data`, at the end, the rest."""
        lines = (self._rest + data).splitlines(keepends=True)
        # Progress bars end a line by a carriage return, whose line feed may be still to come.
        is_whole = not data or lines[-1].endswith(b"\n") or len(lines[-1]) > _READ_BYTES
        self._rest = b"" if is_whole else lines.pop()
        if not data and lines and not lines[-1].endswith(b"\n"):
            lines[-1] += b"\n"
        return b"".join(self._mark + line for line in lines)


class Sink:
    """What waits to be written to the descriptor `target`.

    A write takes only as much as a pipe takes without blocking, so that a reader that pauses cannot
    keep a Ctrl-C or a time limit from the job. When the reader goes away, only the copy ends.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.is_within_line = False
        self._pending = b""
        self._reader_has_gone = False

    @property
    def is_pending(self) -> bool:
        return bool(self._pending)

    def add(self, data: bytes) -> None:
        if not self._reader_has_gone:
            self._pending += data

    def send(self) -> None:
        """Write a part of what is pending; call it when `target` is ready."""
        # Whole lines, as long as they fit, so that those of several processes do not mix.
        end = self._pending.rfind(b"\n", 0, select.PIPE_BUF) + 1 or select.PIPE_BUF
        try:
            written = os.write(self.target, self._pending[:end])
        except BlockingIOError:
            return
        except OSError:
            # The reader has gone (`| head`), or the terminal or its disk has.
            self.forget_reader()
            return
        self.is_within_line = self._pending[written - 1 : written] != b"\n"
        self._pending = self._pending[written:]

    def forget_reader(self) -> None:
        """Write only to the log from now on."""
        self._reader_has_gone = True
        self._pending = b""


@dataclass
class Copy:
    """One stream of a child: from the pipe `source` to its logs and to `sink`.

    Tracebacks get the files of `paths`. `own_log` gets them without the marks of `lines`, which
    `log` and `sink` have.
    """

    source: int | None
    sink: Sink
    log: Log
    lines: MarkedLines | None = None
    own_log: Log | None = None
    paths: SourcePaths | None = None

    def receive(self) -> int:
        """Read what the child has written; return the number of bytes, 0 when there are none."""
        if self.source is None:
            return 0
        try:
            data = os.read(self.source, _READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self.close()
            return 0
        kept = self.paths.take(data) if self.paths else data
        if kept:
            self._keep(kept)
        return len(data)

    def _keep(self, data: bytes) -> None:
        if self.own_log is not None:
            self.own_log.write(data)
        if self.lines is not None:
            data = self.lines.take(data)
        self.log.write(data)
        self.sink.add(data)

    def close(self) -> None:
        if self.source is not None:
            if self.paths:
                self._keep(self.paths.take(b""))
            self._keep(b"")
            os.close(self.source)
            self.source = None


def write_message(target: int, text: str) -> None:
    """Write a message of our own to a descriptor; a reader that has gone is no error."""
    data = os.fsencode(text)
    with contextlib.suppress(OSError):
        while data:
            _, ready, _ = select.select([], [target], [], 5.0)
            if not ready:
                return
            data = data[os.write(target, data[: select.PIPE_BUF]) :]


def last_lines(path: Path, count: int) -> str:
    """Return the last lines of a log. Bytes that are not UTF-8 survive as surrogates."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _READ_BYTES))
            text = file.read()
    except OSError:
        return ""
    return os.fsdecode(b"".join(text.splitlines(keepends=True)[-count:]))

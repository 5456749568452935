"""What a child writes: copied to our own output as it comes, and kept in the log."""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path

_READ_BYTES = 65536


class Log:
    """The log file. A full disk stops the log and not the job; `error` tells what happened."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.error: str | None = None

    def write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except OSError as error:
                # Later output is still tried: the disk may have room again.
                self.error = error.strerror or str(error)
                return

    def close(self) -> None:
        os.close(self._file)


class Copy:
    """One stream of a child: from the pipe `source` to the log and to the descriptor `target`.

    Only as much is written at once as a pipe takes without blocking, so that a reader who pauses
    cannot keep a Ctrl-C or a time limit from the job. A reader who goes away costs the copy only.
    """

    def __init__(self, source: int, target: int, log: Log) -> None:
        self.source: int | None = source
        self.target = target
        self._log = log
        self._pending = b""
        self._reader_left = False
        os.set_blocking(source, False)

    @property
    def is_pending(self) -> bool:
        return bool(self._pending)

    def receive(self) -> int:
        """Take what the child has written; the number of bytes, 0 when there are none now."""
        if self.source is None:
            return 0
        try:
            data = os.read(self.source, _READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self.close()
            return 0
        self._log.write(data)
        if not self._reader_left:
            self._pending += data
        return len(data)

    def send(self) -> None:
        """Write a part of what is pending; call when `target` is ready."""
        try:
            written = os.write(self.target, self._pending[: select.PIPE_BUF])
        except BlockingIOError:
            return
        except OSError:
            # The reader has gone (`| head`), or the terminal or its disk has.
            self.forget_reader()
            return
        self._pending = self._pending[written:]

    def forget_reader(self) -> None:
        """From now on keep the log only."""
        self._reader_left = True
        self._pending = b""

    def close(self) -> None:
        if self.source is not None:
            os.close(self.source)
            self.source = None


def open_standard_descriptors() -> None:
    """Give us the standard descriptors that our caller withheld (`>&-`).

    A pipe of our own would otherwise get the number 1, and what is meant for the user go there.
    """
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return


def say(target: int, text: str) -> None:
    """Write a message of our own; that nobody reads it any more is no error."""
    data = os.fsencode(text)
    with contextlib.suppress(OSError):
        while data:
            _, ready, _ = select.select([], [target], [], 5.0)
            if not ready:
                return
            data = data[os.write(target, data[: select.PIPE_BUF]) :]


def last_lines(path: Path, count: int) -> str:
    """The last lines of a log. Bytes that are not UTF-8 survive as surrogates."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _READ_BYTES))
            text = file.read()
    except OSError:
        return ""
    return os.fsdecode(b"".join(text.splitlines(keepends=True)[-count:]))

"""Keep what others have written, such as names, messages and logs, from commanding a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, BinaryIO, TextIO

# Colours, and what erases the rest of a line: what this tool itself writes.
_OWN = rb"\x1b\[[0-9;]*[mK]"
# Logs have progress bars, too, which move the cursor and hide it.
_OF_LOGS = rb"\x1b\[[0-9;]*[A-GJKm]|\x1b\[\?25[hl]"
_CONTROLS = rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]"
_TEXT = re.compile(b"(%s)|%s" % (_OWN, _CONTROLS))
_LOG = re.compile(b"(%s)|%s" % (_OF_LOGS, _CONTROLS))
# The begin of what may be passed on when the rest has come.
_UNFINISHED = re.compile(rb"(\x1b(\[[0-9;?]{0,16})?|\xc2)\Z")


def safe_text(text: str) -> str:
    """Return `text` in which control characters, other than of line ends and colours, are shown."""
    data = text.encode("utf-8", "surrogatepass")
    return _TEXT.sub(_shown, data).decode("utf-8", "surrogatepass")


class SafeStream:
    """Standard output or error, without control characters; its `buffer` too, in a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._stream.write(safe_text(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        return _SafeLog(self._stream.buffer) if self._stream.isatty() else self._stream.buffer


class _SafeLog:
    """A terminal to which a log is written in parts."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._unfinished = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)

    def write(self, data: bytes) -> int:
        whole = self._unfinished + bytes(data)
        found = _UNFINISHED.search(whole)
        self._unfinished = found[0] if found else b""
        self._out.write(_LOG.sub(_shown, whole.removesuffix(self._unfinished)))
        return len(data)

    def writelines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.write(line)


def _shown(match: re.Match[bytes]) -> bytes:
    """Return what is passed on, or the picture of a control character."""
    if match[1]:
        return match[1]
    code = match[0][-1]
    picture = 0x2421 if code == 0x7F else 0xFFFD if code > 0x7F else 0x2400 + code
    return chr(picture).encode()

"""The editor's side of the Debug Adapter Protocol.

https://microsoft.github.io/debug-adapter-protocol/specification
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Editor:
    """A connection to the debugger that waits at `port` of this machine."""

    def __init__(self, port: int, seconds: float = 120) -> None:
        self._connection = self._connected(port, time.monotonic() + seconds)
        self._connection.settimeout(seconds)
        self._reader = self._connection.makefile("rb")
        self._sent = 0
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._reader.close()
        self._connection.close()

    @staticmethod
    def _connected(port: int, end: float) -> socket.socket:
        """Return a connection to the debugger; Docker accepts some before the debugger listens."""
        while True:
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", port))
                connection.settimeout(max(1.0, end - time.monotonic()))
                # The debugger sends the first message.
                if connection.recv(1, socket.MSG_PEEK):
                    return connection
                connection.close()
            if time.monotonic() > end:
                raise AssertionError(f"nothing waits at port {port}")
            time.sleep(0.1)

    def attach(
        self, breakpoints: Mapping[Path, Sequence[int]], more: Mapping[str, Any] | None = None
    ) -> None:
        """Start the program, with breakpoints at lines of files; `more` are other settings."""
        self._request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        # debugpy rejects an attachment without settings.
        attach = self._send("attach", **{"type": "debugpy", "request": "attach", **(more or {})})
        self._event("initialized")
        for path, lines in breakpoints.items():
            found = self._request(
                "setBreakpoints",
                source={"path": str(path)},
                breakpoints=[{"line": line} for line in lines],
            )
            assert all(each["verified"] for each in found["breakpoints"]), found
        self._request("configurationDone")
        self._answer(attach)

    def wait_for_stop(self) -> Stop:
        """Wait until the program stops at a breakpoint."""
        thread = self._event("stopped")["threadId"]
        frames = self._request("stackTrace", threadId=thread)["stackFrames"]
        return Stop(self, thread, frames)

    def resume(self, thread: int) -> None:
        self._request("continue", threadId=thread)

    def evaluate(self, expression: str, frame: int) -> str:
        found = self._request("evaluate", expression=expression, frameId=frame, context="watch")
        return str(found["result"])

    def wait_for_child(self) -> dict[str, Any]:
        """Wait until the program starts another one; return the settings to attach to it."""
        return self._event("debugpyAttach")

    def wait_for_end(self) -> None:
        self._event("terminated")

    def _request(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self._answer(self._send(command, **arguments))

    def _send(self, command: str, **arguments: Any) -> int:
        self._sent += 1
        message = {
            "seq": self._sent,
            "type": "request",
            "command": command,
            "arguments": arguments,
        }
        body = json.dumps(message).encode()
        self._connection.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        return self._sent

    def _answer(self, request: int) -> dict[str, Any]:
        message = self._next("response", "request_seq", request)
        assert message["success"], message
        return dict(message.get("body") or {})

    def _event(self, name: str) -> dict[str, Any]:
        return dict(self._next("event", "event", name).get("body") or {})

    def _next(self, kind: str, key: str, value: Any) -> dict[str, Any]:
        """Return the first message of this kind that was not returned yet."""
        while True:
            for index, message in enumerate(self.seen):
                if message["type"] == kind and message[key] == value:
                    return self.seen.pop(index)
            self.seen.append(self._read())

    def _read(self) -> dict[str, Any]:
        length = 0
        while True:
            line = self._reader.readline()
            assert line, f"the debugger closed the connection; before: {self.seen}"
            if not line.strip():
                break
            name, _, value = line.decode().partition(":")
            if name == "Content-Length":
                length = int(value)
        return dict(json.loads(self._reader.read(length)))


class Stop:
    """A program that stopped at a breakpoint; the innermost of its `frames` is the first."""

    def __init__(self, editor: Editor, thread: int, frames: Sequence[Mapping[str, Any]]) -> None:
        self._editor = editor
        self._thread = thread
        self.frames = frames

    @property
    def position(self) -> tuple[Path, int]:
        return Path(self.frames[0]["source"]["path"]), int(self.frames[0]["line"])

    @property
    def files(self) -> list[str]:
        return [frame["source"]["path"] for frame in self.frames]

    def value(self, expression: str) -> str:
        return self._editor.evaluate(expression, self.frames[0]["id"])

    def resume(self) -> None:
        self._editor.resume(self._thread)

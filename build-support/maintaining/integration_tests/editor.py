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
from typing import Any

# A file, and the number of a line in it.
Position = tuple[Path, int]


class Editor(contextlib.ExitStack):
    """A connection to the debugger that waits at `port` of this machine."""

    def __init__(self, port: int, seconds: float = 120) -> None:
        super().__init__()
        connection = self._connected(port, time.monotonic() + seconds)
        self._connection = self.enter_context(connection)
        self._connection.settimeout(seconds)
        self._reader = self.enter_context(connection.makefile("rb"))
        self._sent = 0
        self.seen: list[dict[str, Any]] = []

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

    def attach(self, *breakpoints: Position, more: Mapping[str, Any] | None = None) -> None:
        """Start the program, with breakpoints in several files; `more` are other settings."""
        self.request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        # debugpy rejects an attachment without settings.
        attach = self._send("attach", **{"type": "debugpy", "request": "attach", **(more or {})})
        self._event("initialized")
        for path, line in breakpoints:
            found = self.request(
                "setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": line}]
            )
            assert all(each["verified"] for each in found["breakpoints"]), found
        self.request("configurationDone")
        self._answer(attach)

    def wait_for_stop(self) -> Stop:
        """Wait until the program stops at a breakpoint."""
        thread = self._event("stopped")["threadId"]
        frames = self.request("stackTrace", threadId=thread)["stackFrames"]
        return Stop(self, thread, frames)

    def wait_for_child(self) -> dict[str, Any]:
        """Wait until the program starts another one; return the settings to attach to it."""
        return self._event("debugpyAttach")

    def wait_for_end(self) -> None:
        self._event("terminated")

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Return the debugger's answer."""
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
    def positions(self) -> list[Position]:
        return [(Path(frame["source"]["path"]), int(frame["line"])) for frame in self.frames]

    def value(self, expression: str) -> str:
        asked = {"expression": expression, "frameId": self.frames[0]["id"], "context": "watch"}
        return str(self._editor.request("evaluate", **asked)["result"])

    def resume(self) -> None:
        self._editor.request("continue", threadId=self._thread)

"""HTTP/1.1 on loopback, one thread for each connection; TLS, plain and as a proxy on one port."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from azureml_standin.messages import Answer, Body, Request

_HEAD_BYTES = 64 * 1024
_IN_MEMORY_BYTES = 1 << 20
_CHUNK_BYTES = 256 * 1024
_IDLE_SECONDS = 120.0
_TLS_RECORD_HANDSHAKE = 0x16
# An answer that may come back right away on Linux, where an acknowledgement is held back by 40 ms.
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Exchange(Protocol):
    """One request whose head was read: the application answers it, and may break it off."""

    def take(self, body: Body) -> Answer | None:
        """The body was read. None: reset the connection."""

    def accepts_bytes(self) -> float | None:
        """Part of the body to read before the connection is reset; None: all, and no reset."""

    def sends_bytes(self) -> float:
        """Part of the answer's body to send; below 1 the connection ends after it."""


class ConnectionEnded(Exception):
    """The other side is gone, or is to see a reset."""


class Server:
    """Listens on 127.0.0.1 until `stop`.

    `exchange` makes the application's side of one request. `proxied` says which hosts a client may
    reach through `CONNECT`: the service speaks for them itself, and there is no way out.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        exchange: Callable[[Request], Exchange],
        spool: Path,
        port: int = 0,
        proxied: Callable[[str], bool] = lambda host: False,
    ) -> None:
        self.context = context
        self.exchange = exchange
        self.spool = spool
        self.proxied = proxied
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, _Connection] = {}
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
            self._listener.listen(1024)
        except BaseException:
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="service-accept", daemon=True)

    def start(self) -> None:
        self._acceptor.start()

    def stop(self, seconds: float = 10.0) -> None:
        """End all connections and wait for their threads."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            # Closing alone does not wake a thread that waits in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._acceptor.ident is not None:
            self._acceptor.join(seconds)
        with self._lock:
            open_connections = dict(self._connections)
        for connection in open_connections.values():
            connection.interrupt()
        for thread in open_connections:
            thread.join(seconds)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            served = _Connection(self, connection)
            thread = threading.Thread(target=self._serve, args=(served,), daemon=True)
            with self._lock:
                self._connections[thread] = served
            thread.start()

    def _serve(self, connection: _Connection) -> None:
        try:
            with contextlib.suppress(ConnectionEnded, OSError, ValueError):
                connection.serve()
        finally:
            connection.close()
            with self._lock:
                self._connections.pop(threading.current_thread(), None)


class _Connection:
    def __init__(self, server: Server, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._buffer = bytearray()
        self._is_secure = False
        self._is_reset = False

    def serve(self) -> None:
        self._socket.settimeout(_IDLE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._start_tls_if_asked()
        while not self._server.stopping.is_set():
            request = self._read_head()
            if request is None:
                return
            if request.method == "CONNECT":
                if self._is_secure or not self._open_tunnel(request):
                    return
                continue
            if not self._serve_request(request):
                return

    def interrupt(self) -> None:
        """Called by another thread: what waits for this connection ends."""
        with contextlib.suppress(OSError):
            # The one of TLS would change what the other thread is just using.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._is_secure and not self._is_reset:
            with contextlib.suppress(OSError, ValueError):
                self._socket.settimeout(1.0)
                self._socket = self._socket.unwrap()  # type: ignore[attr-defined]
        self._socket.close()

    def _start_tls_if_asked(self) -> None:
        first = self._socket.recv(1, socket.MSG_PEEK)
        if first and first[0] == _TLS_RECORD_HANDSHAKE:
            self._socket = self._server.context.wrap_socket(self._socket, server_side=True)
            self._is_secure = True

    def _open_tunnel(self, request: Request) -> bool:
        host = request.target.rpartition(":")[0]
        if not self._server.proxied(host):
            reason = f"This service stands in for Azure only, not for {host}.\n".encode()
            self._send(Answer(403, reason, {"Content-Type": "text/plain"}), request, 1.0)
            return False
        self._socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._start_tls_if_asked()
        return self._is_secure

    def _serve_request(self, request: Request) -> bool:
        exchange = self._server.exchange(request)
        part = exchange.accepts_bytes()
        if part == 0.0:
            self._reset()
        if "100-continue" in request.headers.get("expect", "").lower():
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if part is not None:
            for _ in self._body_chunks(request, part):
                pass
            if not _content_length(request):
                self._socket.sendall(b"HTTP/1.1 2")
            self._reset()
        body = self._read_body(request)
        try:
            answer = exchange.take(body)
        finally:
            body.discard()
        if answer is None:
            self._reset()
            return False
        part = exchange.sends_bytes()
        self._send(answer, request, part)
        return part >= 1.0 and request.headers.get("connection", "").lower() != "close"

    def _reset(self) -> None:
        """End the connection as a broken network does: by RST, without the end of TLS."""
        self._is_reset = True
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        raise ConnectionEnded

    def _read_head(self) -> Request | None:
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(self._buffer) > _HEAD_BYTES:
                raise ConnectionEnded
            if not self._receive():
                return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        method, target, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return Request(method, target, headers, is_secure=self._is_secure)

    def _receive(self) -> bool:
        if _QUICKACK is not None:
            # Not lasting: the system goes back to holding acknowledgements by itself.
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        data = self._socket.recv(_CHUNK_BYTES)
        self._buffer += data
        return bool(data)

    def _read_body(self, request: Request) -> Body:
        length = _content_length(request)
        if length is not None and length <= _IN_MEMORY_BYTES:
            return Body(b"".join(self._body_chunks(request)))
        descriptor, name = tempfile.mkstemp(prefix="body-", dir=self._server.spool)
        body = Body(files=[Path(name)])
        try:
            with open(descriptor, "wb") as file:
                for chunk in self._body_chunks(request):
                    file.write(chunk)
        except BaseException:
            body.discard()
            raise
        return body

    def _body_chunks(self, request: Request, part: float = 1.0) -> Iterator[bytes]:
        """The body as it comes; only the first `part` of one whose length is known."""
        length = _content_length(request)
        if length is not None:
            yield from self._exactly(int(length * part))
            return
        while True:
            size = int(self._line().split(b";")[0], 16)
            yield from self._exactly(size)
            self._line()
            if size == 0:
                return

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._receive():
                raise ConnectionEnded
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _exactly(self, length: int) -> Iterator[bytes]:
        while length > 0:
            if not self._buffer and not self._receive():
                raise ConnectionEnded
            chunk = bytes(self._buffer[:length])
            del self._buffer[: len(chunk)]
            length -= len(chunk)
            yield chunk

    def _send(self, answer: Answer, request: Request, part: float) -> None:
        headers = {"Content-Length": str(answer.size), **answer.headers}
        if answer.status in (204, 304):
            headers.pop("Content-Length")
        head = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        data = "\r\n".join([*head, "", ""]).encode("latin-1", "replace")
        has_body = request.method != "HEAD" and answer.status not in (204, 304)
        if isinstance(answer.body, bytes):
            body = answer.body if has_body else b""
            self._socket.sendall(data + body[: int(len(body) * part)])
            return
        with answer.body as file:
            self._socket.sendall(data)
            left = int(answer.size * part) if has_body else 0
            while left > 0:
                chunk = file.read(min(left, _CHUNK_BYTES))
                if not chunk:
                    # The file was cut while it was sent; the client sees an answer too short.
                    raise ConnectionEnded
                self._socket.sendall(chunk)
                left -= len(chunk)


def _content_length(request: Request) -> int | None:
    """None for a body in chunks, whose length shows at its end."""
    if "chunked" in request.headers.get("transfer-encoding", "").lower():
        return None
    return int(request.headers.get("content-length") or 0)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

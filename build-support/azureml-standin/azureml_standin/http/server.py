"""Serve HTTP/1.1 on loopback: with TLS, without it, and as a proxy, all on one port."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any

from azureml_standin.http.bodies import CHUNK_BYTES, body_chunks, content_length, read_body
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.http.recording import RecordedRequest

_POLL_SECONDS = 0.05
_TLS_RECORD_HANDSHAKE = 0x16
# Linux delays acknowledgements by 40 ms unless it is asked to send them right away.
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Server(ThreadingTCPServer):
    """Listens on 127.0.0.1 until `stop`.

    `handler` makes the handler of one request. `proxied` says which hosts a client may name in
    `CONNECT`: the service answers for them itself, and forwards nothing.
    """

    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(
        self,
        context: ssl.SSLContext,
        handler: Callable[[HttpRequest], RecordedRequest],
        spool: Path,
        port: int = 0,
        proxied: Callable[[str], bool] = lambda host: False,
    ) -> None:
        self.context = context
        self.handler = handler
        self.spool = spool
        self.proxied = proxied
        self.stopping = threading.Event()
        self.connections: set[Connection] = set()
        super().__init__(("127.0.0.1", port), Connection)
        self.port: int = self.socket.getsockname()[1]
        self._acceptor = threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,))

    def start(self) -> None:
        self._acceptor.start()

    def stop(self) -> None:
        """End all connections and wait for their threads."""
        self.stopping.set()
        if self._acceptor.ident is not None:
            self.shutdown()
            self._acceptor.join()
        for connection in list(self.connections):
            connection.interrupt()
        self.server_close()


class Connection(BaseHTTPRequestHandler):
    """One connection, in its own thread."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    server: Server

    def setup(self) -> None:
        self._is_secure = False
        self._is_reset = False
        self.request.settimeout(self.timeout)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._use(self.request)
        self.server.connections.add(self)
        if self.server.stopping.is_set():
            self.interrupt()

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._start_tls_if_requested()
            super().handle()

    def finish(self) -> None:
        self.server.connections.discard(self)
        if self._is_secure and not self._is_reset:
            with contextlib.suppress(OSError, ValueError):
                self.connection.settimeout(1.0)
                self.connection = self.connection.unwrap()
        self.connection.close()

    def interrupt(self) -> None:
        """End what waits for this connection. Other threads call it."""
        with contextlib.suppress(OSError):
            # The shutdown of TLS would change state that its own thread uses.
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        self.close_connection = True
        if self._is_secure or not self.server.proxied(host):
            reason = f"The stand-in answers for hosts of Azure only, not for {host}.\n".encode()
            self._send(HttpResponse(403, reason, {"Content-Type": "text/plain"}), 1.0)
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._start_tls_if_requested()
        self.close_connection = not self._is_secure

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(self.command, self.path, headers, is_secure=self._is_secure)
        handler = self.server.handler(request)
        part = handler.part_before_reset()
        if part == 0.0:
            self._reset()
        if part is not None:
            for _ in body_chunks(self.rfile, headers, part):
                pass
            if not content_length(headers):
                self.wfile.write(b"HTTP/1.1 2")
            self._reset()
        body = read_body(self.rfile, headers, self.server.spool)
        try:
            response = handler.respond(body)
        finally:
            body.discard()
        if response is None:
            self._reset()
        else:
            self._send(response, handler.part_of_response())

    do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_GET

    def _use(self, connection: socket.socket) -> None:
        self.connection = connection
        stream = _Stream(connection)
        self.rfile = io.BufferedReader(stream, CHUNK_BYTES)
        self.wfile = stream  # type: ignore[assignment]

    def _start_tls_if_requested(self) -> None:
        first = self.connection.recv(1, socket.MSG_PEEK)
        if first and first[0] == _TLS_RECORD_HANDSHAKE:
            self._use(
                self.server.context.wrap_socket(
                    self.connection, server_side=True, do_handshake_on_connect=False
                )
            )
            self._is_secure = True
            if self.server.stopping.is_set():
                raise ConnectionAbortedError
            self.connection.do_handshake()

    def _reset(self) -> None:
        """End the connection as a broken network does: by RST, without closing TLS."""
        self._is_reset = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise ConnectionResetError

    def _send(self, response: HttpResponse, part: float) -> None:
        has_body = self.command != "HEAD" and response.status not in (204, 304)
        self.send_response_only(response.status)
        headers = {"Content-Length": str(response.size), **response.headers}
        if response.status in (204, 304):
            headers.pop("Content-Length")
        for name, value in headers.items():
            self.send_header(name, value.encode("latin-1", "replace").decode("latin-1"))
        self.end_headers()
        left = int(response.size * part) if has_body else 0
        with (
            io.BytesIO(response.body) if isinstance(response.body, bytes) else response.body
        ) as body:
            while left > 0:
                chunk = body.read(min(left, CHUNK_BYTES))
                if not chunk:
                    # The file shrank while it was sent; the client gets too short a response.
                    raise ConnectionResetError
                self.wfile.write(chunk)
                left -= len(chunk)
        if part < 1.0:
            self.close_connection = True


class _Stream(io.RawIOBase):
    """The bytes of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if _QUICKACK is not None:
            # Set before each read, because the system resets it.
            self._connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        return self._connection.recv_into(buffer)

    def write(self, data: Any) -> int:
        self._connection.sendall(data)
        return len(data)

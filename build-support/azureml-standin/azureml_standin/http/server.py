"""Serve HTTP/1.1 on loopback: with TLS, without it, and as a proxy, all on one port."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any

from azureml_standin.http import faults
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.http.recording import Recorded

_CHUNK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 1 << 20
_POLL_SECONDS = 0.05
_TLS_RECORD_HANDSHAKE = 0x16


class Server(ThreadingTCPServer):
    """Listens on 127.0.0.1 until `stop`.

    Before `start` are set: `begin`, which records a request before its body is read, and `respond`,
    which returns None to reset the connection.

    `proxied` says which hosts a client may name in `CONNECT`: the service answers for them itself,
    and forwards nothing. Large bodies are files without a name in `folder`.
    """

    allow_reuse_address = True
    request_queue_size = 1024
    begin: Callable[[HttpRequest], Recorded]
    respond: Callable[[HttpRequest, Recorded], HttpResponse | None]

    def __init__(
        self, context: ssl.SSLContext, folder: Path, port: int, proxied: Callable[[str], bool]
    ) -> None:
        self.context = context
        self.folder = str(folder)
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
    disable_nagle_algorithm = True
    rbufsize = wbufsize = _CHUNK_BYTES
    server: Server

    def setup(self) -> None:
        super().setup()
        self._is_secure = False
        self._is_reset = False
        self.server.connections.add(self)
        if self.server.stopping.is_set():
            self.interrupt()

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._start_tls_if_requested()
            super().handle()

    def finish(self) -> None:
        self.server.connections.discard(self)
        with contextlib.suppress(OSError, ValueError):
            super().finish()
            if self._is_secure and not self._is_reset:
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
        self.wfile.flush()
        self._start_tls_if_requested()
        self.close_connection = not self._is_secure

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(self.command, self.path, headers, is_secure=self._is_secure)
        recorded = self.server.begin(request)
        kind = recorded.fault.kind
        if kind == faults.RESET_AMID:
            for _ in _body_chunks(self.rfile, headers, 0.5):
                pass
            if not _content_length(headers):
                self.wfile.write(b"HTTP/1.1 2")
        if kind in (faults.RESET_BEFORE, faults.RESET_AMID):
            self._reset()
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=self.server.folder) as body:
            body.writelines(_body_chunks(self.rfile, headers))
            request.body = body
            response = self.server.respond(request, recorded)
        if response is None:
            self._reset()
        else:
            self._send(response, 0.5 if kind == faults.TRUNCATED else 1.0)

    do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_GET

    def _start_tls_if_requested(self) -> None:
        first = self.connection.recv(1, socket.MSG_PEEK)
        if first and first[0] == _TLS_RECORD_HANDSHAKE:
            self.request = self.server.context.wrap_socket(
                self.connection, server_side=True, do_handshake_on_connect=False
            )
            super().setup()
            self._is_secure = True
            if self.server.stopping.is_set():
                raise ConnectionAbortedError
            self.connection.do_handshake()

    def _reset(self) -> None:
        """End the connection as a broken network does: by RST, without closing TLS."""
        self._is_reset = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for each in (self.wfile, self.rfile, self.connection):
            each.close()
        raise ConnectionResetError

    def _send(self, response: HttpResponse, part: float) -> None:
        """Send a response with the first `part` of its body; below 1 the connection ends then."""
        self.send_response_only(response.status)
        headers = {"Content-Length": str(response.length), **response.headers}
        for name, value in headers.items():
            self.send_header(name, value.encode("latin-1", "replace").decode("latin-1"))
        self.end_headers()
        left = 0 if self.command == "HEAD" else int(response.length * part)
        given = response.body
        with io.BytesIO(given) if isinstance(given, bytes) else given as body:
            # A file that shrank while it was sent gives the client too short a response.
            self.wfile.writelines(_exactly(body, left))
        self.close_connection |= part < 1.0


def _content_length(headers: Mapping[str, str]) -> int | None:
    """Return the length of a body; None for a chunked one, whose length shows at its end."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return None
    return int(headers.get("content-length") or 0)


def _body_chunks(stream: Any, headers: Mapping[str, str], part: float = 1.0) -> Iterator[bytes]:
    """Yield a body as it arrives; only its first `part` if the length is known."""
    length = _content_length(headers)
    if length is not None:
        yield from _exactly(stream, int(length * part))
        return
    while True:
        size = int(stream.readline().split(b";")[0], 16)
        yield from _exactly(stream, size)
        stream.readline()
        if size == 0:
            return


def _exactly(stream: Any, length: int) -> Iterator[bytes]:
    while length > 0:
        chunk = stream.read(min(length, _CHUNK_BYTES))
        if not chunk:
            raise ConnectionResetError
        length -= len(chunk)
        yield chunk

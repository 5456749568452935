"""The server by raw sockets: HTTP/1.1 as clients really speak it, and a clean end."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_standin.conftest import Caller
from azureml_standin.service import Service, running_service

HOST = "Host: 127.0.0.1\r\n"


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.server.port), timeout=20)


def secured(caller: Caller, plain: socket.socket, host: str = "127.0.0.1") -> ssl.SSLSocket:
    return caller.context.wrap_socket(plain, server_hostname=host)


def exchanged(connection: socket.socket, request: bytes) -> bytes:
    """The answer's head and what came of its body with it."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            break
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length and not request.startswith(b"HEAD"):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def test_serves_many_requests_on_one_connection(caller: Caller) -> None:
    with secured(caller, connected(caller.service)) as connection:
        for _ in range(3):
            answer = exchanged(connection, f"GET /discovery HTTP/1.1\r\n{HOST}\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(caller.service.recording.find("GET", "^/discovery$")) == 3


def test_takes_a_body_in_chunks_and_one_that_waits_for_leave(caller: Caller) -> None:
    form = b"grant_type=password"
    path = f"/{caller.service.tokens.tenant}/oauth2/v2.0/token"
    head = f"POST {path} HTTP/1.1\r\n{HOST}"
    chunks = b"5\r\n" + form[:5] + b"\r\n" + b"%x\r\n" % len(form[5:]) + form[5:] + b"\r\n0\r\n\r\n"
    with secured(caller, connected(caller.service)) as connection:
        answer = exchanged(
            connection, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks
        )
        assert b"AADSTS70003" in answer
        waiting = f"{head}Expect: 100-continue\r\nContent-Length: {len(form)}\r\n\r\n"
        assert exchanged(connection, waiting.encode()) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"AADSTS70003" in exchanged(connection, form)


def test_a_large_body_is_not_left_behind(caller: Caller) -> None:
    answer = caller.request("PUT", "/nowhere", b"x" * (3 << 20))
    assert answer.status == 404
    assert caller.service.recording.requests[-1].request_bytes == 3 << 20
    assert list((caller.service.folder / "spool").iterdir()) == []


def test_serves_only_identities_of_machines_without_tls(caller: Caller) -> None:
    with connected(caller.service) as connection:
        answer = exchanged(connection, f"GET /discovery HTTP/1.1\r\n{HOST}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ") and b"HttpsRequired" in answer


def test_speaks_for_the_clouds_hosts_as_their_proxy(caller: Caller) -> None:
    host = "management.usgovcloudapi.net"
    with connected(caller.service) as plain:
        opened = exchanged(plain, f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert opened.startswith(b"HTTP/1.1 200 ")
        with secured(caller, plain, host) as connection:
            request = f"GET /discovery HTTP/1.1\r\nHost: {host}\r\n\r\n"
            answer = exchanged(connection, request.encode())
    assert b"https://westeurope.api.ml.azure.us" in answer


@pytest.mark.parametrize("host", ["example.org", "169.254.169.254", "azure.com", "blob.core.net"])
def test_is_no_way_out(caller: Caller, host: str) -> None:
    with connected(caller.service) as connection:
        answer = exchanged(connection, f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_listens_on_loopback_alone(service: Service) -> None:
    assert service.server.server_address[0] == "127.0.0.1"


def test_ends_with_no_thread_socket_or_file_left(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with running_service() as service:
        caller = Caller(service)
        caller.request("GET", "/discovery")
        # Two that a client keeps open: before and after TLS.
        idle = [connected(service), secured(caller, connected(service))]
        folder = service.folder
    assert set(threading.enumerate()) <= before
    assert not folder.exists()
    with pytest.raises(OSError):
        connected(service)
    for connection in idle:
        connection.close()


def test_keeps_a_second_service_out_of_its_folder(tmp_path: Path) -> None:
    with running_service(tmp_path):
        with pytest.raises(JobError, match="running on this folder already"):
            Service(tmp_path)
    with running_service(tmp_path):
        pass


def test_is_the_same_workspace_after_a_new_start(tmp_path: Path) -> None:
    with running_service(tmp_path, jobs_at_once=0) as first:
        caller = Caller(first)
        caller.put_code()
        assert caller.arm("PUT", "/jobs/kept", caller.command_job()).status == 201
        known = first.client.sign_in_by("secret")
    with running_service(tmp_path) as second:
        caller = Caller(second)
        assert second.client.sign_in_by("secret") == known
        assert caller.arm("GET", "/jobs/kept").json()["properties"]["status"] == "Canceled"
        assert caller.arm("GET", "/codes/code/versions/1").status == 200

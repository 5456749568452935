"""Test the server by raw sockets: what it refuses, and that it ends cleanly."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from azureml_standin.conftest import Caller
from azureml_standin.service import Service, running_service


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.server.port), timeout=20)


def test_leaves_no_file_of_a_large_body(caller: Caller) -> None:
    before = set(caller.service.folder.iterdir())
    answer = caller.request("PUT", "/nowhere", b"x" * (3 << 20))
    assert answer.status == 404
    assert caller.service.recording.requests[-1].request_bytes == 3 << 20
    assert set(caller.service.folder.iterdir()) == before


@pytest.mark.parametrize(
    "line", ["GET /discovery", "CONNECT azure.com:443"], ids=["without TLS", "for other hosts"]
)
def test_refuses_requests_without_tls_and_for_other_hosts(caller: Caller, line: str) -> None:
    with connected(caller.service) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 403 ")
    assert caller.service.server.server_address[0] == "127.0.0.1"


def test_stops_without_leaving_a_thread_socket_or_file(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with running_service() as service:
        caller = Caller(service)
        caller.request("GET", "/discovery")
        # A client keeps two connections open, one without TLS.
        secure = caller.context.wrap_socket(connected(service), server_hostname="127.0.0.1")
        idle = [connected(service), secure]
        folder = service.folder
    assert set(threading.enumerate()) <= before
    assert not folder.exists()
    with pytest.raises(OSError):
        connected(service)
    for connection in idle:
        connection.close()


def test_keeps_its_workspace_over_a_restart(tmp_path: Path) -> None:
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


def test_records_no_secrets(caller: Caller) -> None:
    caller.put_code()
    text = repr(caller.service.recording.requests)
    assert "x-ms-blob-type" in text
    assert "Bearer" not in text and "sig=" not in text and "'sig'" not in text

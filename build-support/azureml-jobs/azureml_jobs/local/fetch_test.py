"""Files are fetched from a real server with TLS, which fails in many ways."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.local import fetch as fetching
from azureml_jobs.local.conftest import Jobs
from azureml_jobs.local.fetch import fetch

CONTENT = bytes(range(256)) * 4000
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Serves `content` at every path, with ranges; `faults` change single responses, in order."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_port}"
        self.content, self.etag = CONTENT, '"v1"'
        self.faults: list[Callable[[Handler], bool]] = []
        self.asked: list[str] = []
        self.resume = threading.Event()
        self.stopped = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing of connections that the client ends."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        start, headers = 0, self.headers
        self.server.asked.append(headers.get("Range", "whole"))
        if self.server.faults and self.server.faults.pop(0)(self):
            return
        if headers.get("If-None-Match") == self.server.etag:
            self.answer(304)
            return
        if headers.get("If-Range") == self.server.etag:
            start = int(headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.answer(206 if start else 200, self.server.content, start)

    def answer(
        self,
        status: int,
        content: bytes = b"",
        start: int = 0,
        end: int | None = None,
        length: bool = True,
        **headers: str,
    ) -> bool:
        self.send_response(status)
        if status != 304 and length:
            self.send_header("Content-Length", str(len(content) - start))
        if start:
            total = len(content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        for name, value in ({"ETag": self.server.etag} | headers).items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content[start:end])
        self.close_connection = not length
        return True

    def reset(self) -> bool:
        """End the connection as a broken network does, which loses what was sent last."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return self.close()

    def close(self) -> bool:
        # The connection is closed when nothing reads from it any more.
        self.rfile.close()
        self.connection.close()
        self.close_connection = True
        return True

    def cut(self, **how: Any) -> bool:
        """Send half of what is asked for, and end the connection."""
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        end = start + (len(self.server.content) - start) // 2
        self.answer(206 if start else 200, self.server.content, start, end, **how)
        return self.close()

    def wait(self) -> bool:
        """Send half, and the rest when the test says so."""
        self.answer(200, self.server.content, end=HALF)
        self.server.stopped.set()
        self.server.resume.wait(30)
        self.wfile.write(self.server.content[HALF:])
        return True


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.ca_file))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetching, "_PAUSES", (0.0, 0.0, 0.0))
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.resume.set()
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "a répo" / ".azureml" / "cache"


def answers(status: int, content: bytes = b"", **headers: Any) -> Callable[[Handler], bool]:
    return lambda handler: handler.answer(status, content, **headers)


def test_fetches_a_file_once(
    server: Server, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{server.url}/data/w%C3%A9ine.csv?sig=secret"
    first = fetch(url, cache)
    assert (first.name, first.read_bytes()) == ("wéine.csv", CONTENT)
    assert capsys.readouterr().err == f"Fetched {server.url}/data/w%C3%A9ine.csv: 1.0 MB\n"
    assert fetch(url, cache) == first and server.asked == ["whole", "whole"]
    assert capsys.readouterr().err == ""
    kept = (first.parent.parent / "meta.json").read_text()
    assert hashlib.sha256(CONTENT).hexdigest() in kept and "secret" not in kept
    assert not os.access(first, os.W_OK) or os.getuid() == 0
    # Nothing else has made the local workspace before.
    assert cache.parent.stat().st_mode & 0o777 == 0o700


def test_a_name_that_no_disk_takes_is_shortened(server: Server, cache: Path) -> None:
    file = fetch(f"{server.url}/{'%C3%BC' * 200}.csv", cache)
    assert file.name.endswith("üü.csv") and file.read_bytes() == CONTENT


def test_a_job_keeps_the_version_that_it_started_with(server: Server, cache: Path) -> None:
    first = fetch(f"{server.url}/a.csv", cache)
    server.content, server.etag = b"new", '"v2"'
    second = fetch(f"{server.url}/a.csv", cache)
    assert (first.read_bytes(), second.read_bytes()) == (CONTENT, b"new")


def test_a_file_that_was_changed_here_is_fetched_again(server: Server, cache: Path) -> None:
    file = fetch(f"{server.url}/a.csv", cache)
    file.chmod(0o644)
    file.write_bytes(b"x" * len(CONTENT))
    assert fetch(f"{server.url}/a.csv", cache).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("faults", "asked"),
    [
        pytest.param([Handler.reset], ["whole", "whole"], id="a reset at once"),
        pytest.param(
            [Handler.cut, Handler.cut, Handler.cut, Handler.cut, Handler.cut],
            ["whole", *(f"bytes={len(CONTENT) * part // 32}-" for part in (16, 24, 28, 30, 31))],
            id="an end in the middle",
        ),
        pytest.param(
            [lambda handler: handler.cut(ETag="")], ["whole", "whole"], id="one without a version"
        ),
        pytest.param(
            [lambda handler: handler.cut(ETag='W/"v1"')], ["whole", "whole"], id="a weak version"
        ),
        pytest.param([answers(503), answers(429)], ["whole"] * 3, id="a busy server"),
        pytest.param([answers(200, CONTENT, length=False)], ["whole"], id="no length"),
        pytest.param(
            [answers(302, Location="/elsewhere/other.csv")], ["whole"] * 2, id="a redirection"
        ),
        pytest.param(
            [Handler.cut, answers(416)],
            ["whole", f"bytes={HALF}-", "whole"],
            id="a range that does not exist",
        ),
        pytest.param(
            [Handler.cut, answers(206, CONTENT, Content_Range="bytes 7-9/10")],
            ["whole", f"bytes={HALF}-", "whole"],
            id="another range",
        ),
    ],
)
def test_gets_the_whole_file(
    server: Server, cache: Path, faults: list[Callable[[Handler], bool]], asked: list[str]
) -> None:
    server.faults = faults
    file = fetch(f"{server.url}/a.csv", cache)
    assert (file.name, file.read_bytes(), server.asked) == ("a.csv", CONTENT, asked)
    assert sorted(os.listdir(file.parent.parent)) == [file.parent.name, "lock", "meta.json"]


def test_resumes_after_resets_in_the_middle(server: Server, cache: Path) -> None:
    def reset(handler: Handler) -> bool:
        start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        handler.answer(206 if start else 200, CONTENT, start, start + 200_000)
        return handler.reset()

    server.faults = [reset] * 3
    assert fetch(f"{server.url}/a.csv", cache).read_bytes() == CONTENT


def test_a_part_of_another_version_is_dropped(server: Server, cache: Path) -> None:
    def change(handler: Handler) -> bool:
        server.content, server.etag = b"another" * 99, '"v2"'
        return False

    server.faults = [Handler.cut, change]
    assert fetch(f"{server.url}/a.csv", cache).read_bytes() == b"another" * 99
    assert server.asked == ["whole", f"bytes={HALF}-"]


@pytest.mark.parametrize(
    ("fault", "status", "what"),
    [
        pytest.param(answers(404), 2, "answers with status 404", id="no file"),
        pytest.param(answers(403, b"<html>"), 2, "status 403", id="a signature that has expired"),
        pytest.param(
            answers(200, b"<html>", Content_Type="text/html; charset=utf-8"),
            2,
            "a web page, not with data",
            id="a page to sign in",
        ),
        pytest.param(Handler.reset, 1, "could not be fetched: ", id="resets"),
        pytest.param(answers(503), 1, "answers with status 503", id="a broken server"),
        pytest.param(answers(302, Location="/a.csv"), 1, "too many redirects", id="a circle"),
        pytest.param(
            lambda handler: handler.cut(ETag=""), 1, "could not be fetched", id="no ranges"
        ),
    ],
)
def test_reports_what_cannot_be_fetched(
    server: Server, cache: Path, fault: Callable[[Handler], bool], status: int, what: str
) -> None:
    server.faults = [fault] * 60
    with pytest.raises(JobError) as caught:
        fetch(f"{server.url}/a.csv?sig=secret", cache)
    assert caught.value.status == status and what in caught.value.what
    assert caught.value.where == f"{server.url}/a.csv" and "secret" not in str(caught.value)
    # It is not asked for ever.
    assert len(server.asked) < 40


def test_uses_the_cache_while_the_server_is_away(
    server: Server, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = fetch(f"{server.url}/a.csv", cache)
    server.faults = [answers(503)] * 9
    assert fetch(f"{server.url}/a.csv", cache) == file
    assert "could not be asked whether it has changed" in capsys.readouterr().err


def test_reports_a_certificate_that_is_not_trusted(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(OutsideError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(f"{server.url}/a.csv", cache)


@pytest.mark.parametrize("proxy", ["127.0.0.1:9", "socks5://127.0.0.1:9", "http://127.0.0.1:x"])
def test_reports_a_proxy_that_cannot_be_used(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    with pytest.raises(OutsideError, match="the file could not be fetched: "):
        fetch(f"{server.url}/a.csv", cache)


def start(jobs: Jobs, server: Server, cache: Path, **how: Any) -> subprocess.Popen[str]:
    script = (
        "import pathlib, sys\nfrom azureml_jobs.base.errors import JobError\n"
        "from azureml_jobs.local.fetch import fetch\n"
        "try:\n  print(fetch(sys.argv[1], pathlib.Path(sys.argv[2])))\n"
        "except JobError as error:\n  sys.exit(str(error))\n"
    )
    how = {"stderr": subprocess.PIPE, "text": True, **how}
    return jobs.python(script, f"{server.url}/a.csv", cache, **how)


def test_two_jobs_fetch_a_file_once(server: Server, cache: Path, jobs: Jobs) -> None:
    server.faults = [Handler.wait]
    first = start(jobs, server, cache)
    assert server.stopped.wait(20)
    second = start(jobs, server, cache)
    assert second.stderr is not None and "waiting for it" in second.stderr.readline()
    server.resume.set()
    results = [process.communicate(timeout=20) for process in (first, second)]
    assert results[0][0] == results[1][0] and Path(results[0][0].strip()).read_bytes() == CONTENT
    assert server.asked == ["whole", "whole"] and results[1][1] == ""


def test_resumes_after_ctrl_c(server: Server, cache: Path, jobs: Jobs) -> None:
    server.faults = [Handler.wait]
    process = start(jobs, server, cache)
    assert server.stopped.wait(20)
    while not any(part.stat().st_size for part in cache.glob("*/part")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "" and process.returncode != 0
    assert fetch(f"{server.url}/a.csv", cache).read_bytes() == CONTENT
    assert server.asked[1].startswith("bytes=")


def test_a_full_disk_leaves_nothing_in_the_way(server: Server, cache: Path, jobs: Jobs) -> None:
    def limit() -> None:
        # Writing fails as on a full disk, with another error number.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, HALF))

    process = start(jobs, server, cache, preexec_fn=limit)
    error = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert f"{server.url}/a.csv: the file could not be written to {cache}" in error
    assert "File too large" in error and not list(cache.glob("*/part*"))


def test_asks_for_room_before_it_fetches(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(OutsideError, match="the file has 1.0 MB, and 1.0 kB are free"):
        fetch(f"{server.url}/a.csv", cache)

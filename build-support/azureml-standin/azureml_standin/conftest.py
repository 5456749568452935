"""Fixtures: a running stand-in for each test file, and a plain HTTPS client."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import urllib3
from azureml_standin.control_plane.resources import WORKSPACE_ID
from azureml_standin.service import Service, running_service

API_VERSION = "2025-12-01"
MAIN = """\
import os, sys
print("epochs", sys.argv[1], open("sub/a b.txt", encoding="utf-8").read())
open("outputs/model.txt", "w").write("model")
open(os.path.join(sys.argv[2], "result.txt"), "w").write("result")
"""


class Caller:
    """A plain client of the service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.context = ssl.create_default_context(cafile=str(service.authority.ca_file))
        self._pool = urllib3.PoolManager(ssl_context=self.context, retries=False, maxsize=20)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> urllib3.BaseHTTPResponse:
        return self._pool.request(method, self.service.url + path, body=body, headers=headers)

    def token(self, audience: str = "https://management.azure.com") -> str:
        return self.service.tokens.issue(audience)

    def arm(
        self, method: str, path: str = "", content: Any = None, **query: str
    ) -> urllib3.BaseHTTPResponse:
        """Send a request to the workspace, with a token and an api-version."""
        target = f"{WORKSPACE_ID}{path}?"
        return self.request(
            method,
            target + urlencode({"api-version": API_VERSION, **query}),
            b"" if content is None else json.dumps(content).encode(),
            {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"},
        )

    def put_code(self, name: str = "code", files: Mapping[str, bytes] | None = None) -> str:
        """Upload code as a client does; return the id of its version."""
        version = f"/codes/{name}/versions/1"
        body = {"pendingUploadType": "TemporaryBlobReference"}
        given = self.arm("POST", f"{version}/startPendingUpload", body).json()
        reference = given["blobReferenceForConsumption"]
        account, _, query = reference["credential"]["sasUri"].partition("?")
        base = account[len(self.service.url) :]
        for file, content in (files or {"main.py": MAIN.encode()}).items():
            path, headers = f"{base}/code/{quote(file)}?{query}", {"x-ms-blob-type": "BlockBlob"}
            assert self.request("PUT", path, content, headers).status == 201
        made = self.arm("PUT", version, {"properties": {"codeUri": f"{reference['blobUri']}/code"}})
        assert made.status in (200, 201), made.data
        return str(made.json()["id"])

    def put_environment(self, name: str = "env", **properties: Any) -> str:
        """Make an environment with these properties, or of some image; return its id."""
        body = {"properties": properties or {"image": "python:3.11"}}
        made = self.arm("PUT", f"/environments/{name}/versions/1", body)
        assert made.status in (200, 201), made.data
        return str(made.json()["id"])

    def command_job(self, command: str = "echo hello", **more: Any) -> dict[str, Any]:
        """Return the body of a job without code."""
        properties = {
            "jobType": "Command",
            "command": command,
            "environmentId": self.put_environment(),
            "computeId": f"{WORKSPACE_ID}/computes/cpu-cluster",
            **more,
        }
        return {"properties": properties}

    def run_job(self, name: str, command: str = "true", **more: Any) -> str:
        """Submit a job, wait for its end, and return its status."""
        made = self.arm("PUT", f"/jobs/{name}", self.command_job(command, **more))
        assert made.status == 201, made.data
        return wait_for_end(self.service, name)


def wait_for_end(service: Service, name: str) -> str:
    """Wait until a job has ended, and return its status."""
    while not service.execution.view(name).has_ended:
        time.sleep(0.02)
    return service.execution.view(name).status


@pytest.fixture(autouse=True, scope="session")
def no_proxy() -> Iterator[None]:
    """Let clients reach the service, whatever proxy this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with running_service() as started:
        yield started


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    """The service of this file, with an empty recording and no faults."""
    running.recording.clear()
    yield running
    running.faults.clear()
    assert running.failures == []


@pytest.fixture
def caller(service: Service) -> Caller:
    return Caller(service)

"""Fixtures: a running stand-in for each test file, a plain HTTPS client, and the SDK."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from azureml_standin.service import Service, running_service

API_VERSION = "2025-12-01"
JOB = """\
command: >-
  echo started; python main.py ${{inputs.epochs}} ${{outputs.result}}
code: code
inputs:
  epochs: 3
outputs:
  result: {type: uri_folder}
environment:
  build: {path: environment}
compute: azureml:cpu-cluster
experiment_name: exp
"""
MAIN = """\
import os, sys
print("epochs", sys.argv[1], open("sub/a b.txt", encoding="utf-8").read())
open("outputs/model.txt", "w").write("model")
open(os.path.join(sys.argv[2], "result.txt"), "w").write("result")
"""

COMPUTE = "compute: azureml:cpu-cluster"
SCORE = """\
name: score
version: 3
type: command
inputs:
  data: {type: uri_folder}
  weight: {type: number, default: 0.5}
  note: {type: string, optional: true}
outputs:
  scores: {type: uri_folder}
command: >-
  sed "s/^/${{inputs.weight}} /" ${{inputs.data}}/a.csv > ${{outputs.scores}}/a.csv
  $[[; echo ${{inputs.note}}]]
environment: {image: python}
"""
INNER = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json
type: pipeline
inputs:
  data: {type: uri_folder}
outputs:
  result: {type: uri_folder}
jobs:
  score:
    type: command
    component: ./score.yaml
    inputs: {data: '${{parent.inputs.data}}', weight: 7}
    outputs: {scores: '${{parent.outputs.result}}'}
"""
Submit = Callable[[str, str], Any]


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the error that this answer reports."""
        return str(self.json()["error"]["code"])


class Caller:
    """A client that opens a new HTTPS connection for each request."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.context = ssl.create_default_context(cafile=str(service.authority.ca_file))

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.service.server.port, context=self.context, timeout=30
        )
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def token(self, audience: str = "https://management.azure.com") -> str:
        return self.service.tokens.issue(audience, "client", "issuer")

    def arm(self, method: str, path: str = "", content: Any = None, **query: str) -> Answer:
        """Send a request to the workspace, with a token and an api-version."""
        target = f"{self.service.workspace.id}{path}?"
        return self.request(
            method,
            target + urlencode({"api-version": API_VERSION, **query}),
            b"" if content is None else json.dumps(content).encode(),
            {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"},
        )

    def put_code(self, name: str = "code", files: Mapping[str, bytes] | None = None) -> str:
        """Upload code as a client does; return the id of its version."""
        path = f"/codes/{name}/versions/1"
        body = {"pendingUploadType": "TemporaryBlobReference"}
        given = self.arm("POST", f"{path}/startPendingUpload", body).json()
        reference = given["blobReferenceForConsumption"]
        account, _, query = reference["credential"]["sasUri"].partition("?")
        base = account[len(self.service.url) :]
        for file, content in (files or {"main.py": MAIN.encode()}).items():
            put = self.request(
                "PUT",
                f"{base}/code/{quote(file)}?{query}",
                content,
                {"x-ms-blob-type": "BlockBlob"},
            )
            assert put.status == 201, put.body
        made = self.arm("PUT", path, {"properties": {"codeUri": f"{reference['blobUri']}/code"}})
        assert made.status in (200, 201), made.body
        return str(made.json()["id"])

    def put_environment(self, name: str = "env", version: str = "1") -> str:
        properties = {"image": "python:3.11"}
        made = self.arm(
            "PUT", f"/environments/{name}/versions/{version}", {"properties": properties}
        )
        assert made.status in (200, 201), made.body
        return str(made.json()["id"])

    def command_job(self, command: str = "echo hello", **more: Any) -> dict[str, Any]:
        """Return the body of a job without code."""
        properties = {
            "jobType": "Command",
            "command": command,
            "environmentId": self.put_environment(),
            "computeId": f"{self.service.workspace.id}/computes/cpu-cluster",
            **more,
        }
        return {"properties": properties}


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


@pytest.fixture(scope="module")
def shared_sdk(running: Service) -> Iterator[Any]:
    """Return the SDK's client. It keeps some of the variables by which it finds the service."""
    from azure.ai.ml import MLClient
    from azure.identity import EnvironmentCredential

    workspace = running.workspace
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.client.direct().items():
            patch.setenv(name, value)
        yield MLClient(
            EnvironmentCredential(disable_instance_discovery=True),
            *(workspace.subscription, workspace.group, workspace.name),
            show_progress=False,
        )


@pytest.fixture
def sdk(service: Service, shared_sdk: Any) -> Any:
    return shared_sdk


@pytest.fixture
def job_folder(tmp_path: Path) -> Path:
    """A user's job: `job.yaml`, `code/`, `environment/`."""
    (tmp_path / "code/sub").mkdir(parents=True)
    (tmp_path / "environment").mkdir()
    (tmp_path / "code/main.py").write_text(MAIN, encoding="utf-8")
    (tmp_path / "code/sub/a b.txt").write_text("ä", encoding="utf-8")
    (tmp_path / "environment/Dockerfile").write_text("FROM python:3.11\n", encoding="utf-8")
    (tmp_path / "job.yaml").write_text(JOB, encoding="utf-8")
    return tmp_path


@pytest.fixture
def submit(sdk: Any, job_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Submit:
    """Return a function that submits the text of a job file under a name."""
    (job_folder / "table").mkdir()
    for name, text in (("a.csv", "x,y\n"), ("MLTable", "paths: [{file: ./a.csv}]\n")):
        (job_folder / "table" / name).write_text(text, encoding="utf-8")
    for name, text in (("score", SCORE), ("inner", INNER)):
        (job_folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    # azure-ai-ml looks for the data of AutoML and of fine-tuning there.
    monkeypatch.chdir(job_folder)

    from azure.ai.ml import load_job

    def submit(name: str, text: str) -> Any:
        (job_folder / "job.yaml").write_text(text, encoding="utf-8")
        job: Any = load_job(job_folder / "job.yaml")
        job.name = name
        return sdk.jobs.create_or_update(job)

    return submit


def sent(service: Service, path: str) -> list[Any]:
    """Return the properties that were put, with short ids of assets and without hashes."""
    bodies = [each.content["properties"] for each in service.recording.find("PUT", path, "arm")]
    text = re.sub(r"/subscriptions/[^\"]*?/workspaces/[^/]+/", "", json.dumps(bodies))
    return json.loads(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}", "*", text))

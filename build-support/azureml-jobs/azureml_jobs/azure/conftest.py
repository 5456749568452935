"""The stand-in service for all tests of this room, which import it only here; and its client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import run
from azureml_jobs.azure.create_submission import create_submission
from azureml_jobs.azure.submission import SubmissionFolder, SubmitOptions
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.workspace_config import AzureWorkspace, configured_workspace
from azureml_jobs.bundle.provenance import made_here, provenance_of
from azureml_jobs.cli import main as cli
from azureml_jobs.conftest import Gathered, Tool
from azureml_jobs.docker.pushable_image import PushableImage
from azureml_standin.clouds import storage_location
from azureml_standin.execution.runs import RunView
from azureml_standin.http import faults
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.http.recording import Recorded
from azureml_standin.registry.access import PULL, PUSH
from azureml_standin.service import Service, running_service

__all__ = ["PULL", "PUSH", "HttpRequest", "HttpResponse", "RunView", "faults"]

JOB = """\
experiment_name: exp
compute: azureml:cpu-cluster
code: ..
command: python -m exp.main --epochs ${{inputs.epochs}} --data ${{inputs.data}}
inputs:
  epochs: 3
  data: {type: uri_folder, path: data}
environment: {build: {path: docker}}
"""
# Without data, so that nothing but a changed snapshot needs to know of storage.
CODE_JOB = """\
experiment_name: exp
compute: azureml:cpu-cluster
code: ..
command: python -m exp.main
environment: {build: {path: docker}}
"""
SCRIPT_JOB = """\
experiment_name: exp
compute: azureml:cpu-cluster
code: ..
command: {command}
outputs:
  model: {{type: custom_model}}
environment: azureml:curated:1
"""
# Its trial follows.
SWEEP_HEAD = """\
type: sweep
experiment_name: exp
compute: azureml:cpu-cluster
search_space: {rate: {type: choice, values: [1, 2]}}
objective: {goal: maximize, primary_metric: score}
sampling_algorithm: grid
limits: {max_total_trials: 2}
trial:
"""
# What the code of all of them becomes.
SNAPSHOT = {
    "common/a.py": b"A = 1\n",
    "exp/__init__.py": b"",
    "exp/main.py": b"import common.a\n",
}
# Of the stand-in's own cloud.
AML_AUDIENCE = "https://ml.azure.standin"
_SIGN_IN = (
    *("AZURE_", "IDENTITY_", "MSI_", "ARM_CLOUD", "AZUREML_"),
    # On a build server, signing in by its OIDC is another way.
    *("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_", "TF_BUILD", "SYSTEM_", "AZURESUBSCRIPTION_"),
)


@pytest.fixture(scope="session")
def idle_service() -> Iterator[Service]:
    """Takes jobs and runs none."""
    with running_service(jobs_at_once=0) as service:
        yield service
        assert service.failures == []


@pytest.fixture(scope="session")
def working_service() -> Iterator[Service]:
    """Runs the jobs that it takes, on the tests' own packages."""
    with running_service(python=sys.prefix) as service:
        yield service
        assert service.failures == []


class Client:
    """Submits the jobs of a small repository, with a fake `az` that signs in."""

    def __init__(
        self,
        service: Service,
        gathered: Gathered,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        self.service = service
        self.gathered = gathered
        self.monkeypatch = monkeypatch
        self.printed = capfd.readouterr
        self.repository = gathered.repository
        self.calls = folder / "az-calls"
        self.bin = folder / "bin"
        self.environment: dict[str, str] = {}
        self.use(service.client.direct(""))
        self.add_program("az")
        self.set(PATH=f"{self.bin}{os.pathsep}{os.environ['PATH']}")
        self.set(NO_COLOR="1", AZUREML_JOBS_PATIENCE="5")
        # No identity of a machine is looked for.
        self.set(AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
        # Source roots may be relative to where the tests run.
        self._python_path = Tool.environment()["PYTHONPATH"]
        monkeypatch.chdir(self.repository)

    def use(self, environment: dict[str, str]) -> None:
        """Find the service by these variables, and by no others."""
        for name in [*os.environ, *self.environment]:
            if name.startswith(_SIGN_IN):
                self.monkeypatch.delenv(name, raising=False)
        self.environment = {}
        self.set(**environment)

    def set(self, **environment: str) -> None:
        self.environment.update(environment)
        self.restore()

    def restore(self) -> None:
        """Set the variables again: the first command of a process removes some."""
        for name, value in self.environment.items():
            self.monkeypatch.setenv(name, value)

    def process(self, *arguments: str, until: Any = None, **how: Any) -> subprocess.Popen[str]:
        """Start the job tool as `./pants` does; return when the fault `until` has hit it."""
        self.restore()
        process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, str(Path(run.__file__ or "").resolve()), *arguments],
            cwd=self.repository,
            env={**os.environ, "PYTHONPATH": self._python_path},
            text=True,
            **how,
        )
        while until is not None and not until.hits:
            assert process.poll() is None
            time.sleep(0.02)
        return process

    def add_program(self, name: str, extra: str = "") -> None:
        """Add `az` or `azd`, which records calls and prints a token for what is asked for."""
        self.bin.mkdir(exist_ok=True)
        moment, expires = time.gmtime(time.time() + 3600), int(time.time()) + 3600
        answers = ""
        for audience, asked in ((AML_AUDIENCE, f"*{AML_AUDIENCE}*"), (self.service.url, "*")):
            token = self.service.tokens.issue(audience)
            printed: dict[str, Any] = {"accessToken": token, "expires_on": expires}
            if name == "azd":
                printed = {"token": token, "expiresOn": time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)}
            answers += f"{asked}) echo '{json.dumps(printed)}';;\n"
        program = self.bin / name
        program.write_text(
            f"#!/bin/sh\necho \"{name} $*\" >> '{self.calls}'\n{extra}\n"
            f'case "$*" in\n{answers}esac\n'
        )
        program.chmod(0o755)

    def program_calls(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def config(self) -> AzureWorkspace:
        self.restore()
        config = configured_workspace(self.repository)
        assert config is not None
        return config

    def connect(self) -> ConnectedWorkspace:
        return ConnectedWorkspace(self.config())

    def create_submission(
        self,
        job: str = JOB,
        *settings: str,
        images: Mapping[str, PushableImage] = {},
        **options: bool,
    ) -> SubmissionFolder:
        plan = self.gathered.plan(job, *settings)
        made = made_here(self.repository, plan.request.address, [])
        provenance = provenance_of(plan, self.repository, made)
        wanted = SubmitOptions(**options)
        return create_submission(plan, provenance, self.config(), self.repository, wanted, images)

    def submit(self, job: str = JOB, *settings: str, **how: Any) -> int:
        """Submit a job; `how` as for `create_submission`."""
        return self.send(self.create_submission(job, *settings, **how))

    def send(self, folder: SubmissionFolder) -> int:
        self.restore()
        return cli.main(["submit", str(folder.path)])

    def change_submission(self, folder: SubmissionFolder, **changes: Any) -> None:
        submission = folder.read()
        assert submission is not None
        replace(submission, **changes).write(folder.path)

    def run_aml(self, *arguments: str) -> int:
        self.restore()
        return cli.main(["workspace", "--repository", str(self.repository), *arguments])

    def read_json(self, *arguments: str) -> Any:
        """Return what a command prints as JSON, and nothing of what was printed before."""
        self.printed()
        assert self.run_aml(*arguments, "--json") == 0
        return json.loads(self.printed().out)

    def show(self, name: str) -> Any:
        return self.read_json("jobs", "show", name)

    def download(self, name: str, folder: Path, *options: str) -> int:
        return self.run_aml("jobs", "download", name, "--path", str(folder), *options)

    # For jobs that are run.

    def put_environment(self) -> None:
        """Make the environment that `start` names."""
        self.connect().put(
            *("environments", "curated", "versions", "1"), body={"properties": {"image": "x"}}
        )

    def start(self, name: str, command: str) -> str:
        """Submit a job of one command; return its name."""
        job = SCRIPT_JOB.format(command=json.dumps(command))
        assert self.submit(job, f"name={name}") == 0
        return name

    def status_of(self, name: str) -> str:
        return str(self.connect().get("jobs", name)["properties"]["status"])

    def wait_for_end(self, name: str) -> None:
        """Wait for the end of a job; one that hangs ends the test by its own limit."""
        while not self.service.execution.view(name).has_ended:
            time.sleep(0.02)

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)

    # What the service has.

    def jobs(self) -> list[dict[str, Any]]:
        return [self.service.jobs.stored(name) for name in self.service.jobs.names()]

    def asset(self, kind: str, name: str, version: str = "1") -> dict[str, Any]:
        """Return the properties of a version of an asset."""
        found = self.service.assets.version(kind, name, version)
        assert found is not None
        return dict(found["properties"])

    def snapshot(self, job: dict[str, Any]) -> dict[str, bytes]:
        """Return the files of a job's code asset as they are in storage."""
        name = job["properties"]["codeId"].split("/codes/")[1].split("/")[0]
        location = storage_location(self.asset("codes", name)["codeUri"])
        assert location is not None
        container, path = location
        blobs = self.service.blobs.blobs(container, f"{path}/")
        return {blob.name[len(path) + 1 :]: blob.file.read_bytes() for blob in blobs}

    def requests(self, method: str = "", path: str = "", **how: Any) -> list[Recorded]:
        return self.service.recording.find(method, path, **how)

    def add_fault(
        self, kind: str, method: str = "", path: str = "", header: str = "", **settings: Any
    ) -> Any:
        return self.service.faults.add(kind, method, path, header=header, **settings)


def assert_one_whole_job(client: Client) -> None:
    (job,) = client.jobs()
    assert client.snapshot(job) == SNAPSHOT


@pytest.fixture
def client_of(
    gathered: Gathered,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[[Service], Client]:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    gathered.write("src/exp/data/a.csv", "1\n")
    gathered.write("src/exp/data/below/b.csv", "2\n")
    return lambda service: Client(service, gathered, tmp_path, monkeypatch, capfd)


@pytest.fixture
def client(idle_service: Service, client_of: Callable[[Service], Client]) -> Iterator[Client]:
    yield client_of(idle_service)
    forget(idle_service)


@pytest.fixture
def client_with_jobs(
    working_service: Service, client_of: Callable[[Service], Client]
) -> Iterator[Client]:
    """A client whose jobs are run. They stay: each test has its own names."""
    client = client_of(working_service)
    client.put_environment()
    yield client
    working_service.faults.clear()
    working_service.recording.clear()
    working_service.control.datastore_credentials = "AccountKey"


def forget(service: Service) -> None:
    """Empty the service, so that each test begins with a new workspace."""
    service.faults.clear()
    # What a failed submission left behind would reach the next test: calls of base/parallel.py.
    for thread in threading.enumerate():
        if thread.name.endswith(("(work)", "(_run)")):
            thread.join(30)
    service.recording.clear()
    service.control.datastore_credentials = "AccountKey"
    service.state.forget()

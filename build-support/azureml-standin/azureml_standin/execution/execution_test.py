"""Test how jobs run: queued, in parallel, with limits and with their packages."""

from __future__ import annotations

import os
import socket
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azureml_standin.conftest import Caller, wait_for_end
from azureml_standin.service import Service, running_service

DATA = {"jobInputType": "mltable", "uri": "azureml:d:1"}


def put_job_with_requirements(caller: Caller, name: str, requirements: str) -> None:
    """Submit a job whose build context holds a `requirements.txt`."""
    caller.put_code(name, {"requirements.txt": requirements.encode()})
    context = caller.arm("GET", f"/codes/{name}/versions/1").json()["properties"]["codeUri"]
    environment = caller.put_environment(name, build={"contextUri": context})
    command = "python -c 'import standin_example; print(standin_example.ANSWER)'"
    body = caller.command_job(command, environmentId=environment)
    assert caller.arm("PUT", f"/jobs/{name}", body).status == 201


def test_many_submissions_of_one_name_at_once_make_one_job(caller: Caller) -> None:
    body = caller.command_job("echo x >> outputs/runs")
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(lambda _: caller.arm("PUT", "/jobs/same", body), range(20))
    statuses = [answer.status for answer in answers]
    assert sorted(statuses) == [200] * 19 + [201]
    assert wait_for_end(caller.service, "same") == "Completed"
    blob = caller.service.blobs.blob("azureml", "ExperimentRun/dcid.same/outputs/runs")
    assert blob is not None and blob.file.read_text() == "x\n"


def test_stopping_the_service_cancels_running_jobs(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with running_service(tmp_path / "service") as service:
        caller = Caller(service)
        caller.arm("PUT", "/jobs/runs", caller.command_job(f"touch {mark}; sleep 100"))
        while not mark.exists():
            assert not service.execution.view("runs").has_ended
    assert service.execution.folder("runs").read().status == "Canceled"


def test_a_restart_ends_the_jobs_of_a_killed_service(tmp_path: Path) -> None:
    killed = Service(tmp_path)
    killed.start()
    caller = Caller(killed)
    caller.arm("PUT", "/jobs/left", caller.command_job(f"touch {tmp_path}/mark; sleep 100"))
    while not (tmp_path / "mark").exists():
        assert not killed.execution.view("left").has_ended
    # The system releases the lock of a killed process.
    (tmp_path / "lock").unlink()
    with running_service(tmp_path) as service:
        assert service.execution.view("left").has_ended
        assert service.execution.folder("left").read().status == "Canceled"
    killed.stop()


def test_stopping_the_service_stops_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        with running_service(tmp_path / "service", installs_packages=True) as service:
            caller = Caller(service)
            put_job_with_requirements(caller, "waits", f"--index-url {address}\nnothing==1\n")
            # pip sends its request, and would wait for minutes.
            silent.accept()
    with running_service(tmp_path / "service") as service:
        assert service.execution.view("waits").status == "Canceled"


def test_cancels_a_job_at_its_time_limit(caller: Caller) -> None:
    limits = {"jobLimitsType": "Command", "timeout": "PT1S"}
    assert caller.run_job("limited", "sleep 100", limits=limits) == "Canceled"
    assert "timed out after 1 s" in (caller.service.execution.view("limited").error or "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"inputs": {"d": {"jobInputType": "uri_file", "uri": "https://example.org/data.csv"}}},
            "does not fetch https://example.org/data.csv",
            id="data",
        ),
        pytest.param(
            {"jobType": "AutoML", "taskDetails": {"taskType": "Regression", "trainingData": DATA}},
            "the stand-in does not run jobs of type AutoML",
            id="kind",
        ),
    ],
)
def test_fails_a_job_that_it_cannot_run_with_the_reason(
    caller: Caller, changes: dict[str, Any], reason: str
) -> None:
    name = f"far-{len(changes)}"
    assert caller.run_job(name, **changes) == "Failed"
    error = caller.service.history.run(name)["error"]
    assert reason in error["error"]["message"]


def test_an_output_with_a_name_gets_the_version_after_all_others(caller: Caller) -> None:
    data = {"properties": {"dataType": "uri_folder", "dataUri": "azureml://datastores/x/paths/y"}}
    for version in ("2", "1", "first"):
        assert caller.arm("PUT", f"/data/made/versions/{version}", data).status == 201
    outputs = {"out": {"jobOutputType": "uri_folder", "assetName": "made"}}
    assert caller.run_job("makes", outputs=outputs) == "Completed"
    assert caller.arm("GET", "/data/made/versions/3").status == 200
    assert caller.arm("GET", "/data/made").json()["properties"]["nextVersion"] == "4"


def test_installs_the_packages_of_the_build_context(tmp_path: Path) -> None:
    wheel = tmp_path / "standin_example-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("standin_example.py", "ANSWER = 42\n")
        about = "standin_example-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Name: standin-example\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    with running_service(installs_packages=True) as service:
        caller = Caller(service)
        for name, line in (("good", wheel.as_uri()), ("bad", "file:///nowhere.whl")):
            put_job_with_requirements(caller, name, line)
        assert wait_for_end(service, "good") == "Completed"
        log = service.blobs.blob("azureml", "ExperimentRun/dcid.good/user_logs/std_log.txt")
        assert log is not None and log.file.read_text() == "42\n"
        assert wait_for_end(service, "bad") == "Failed"
        assert "pip could not install the packages" in (service.execution.view("bad").error or "")
        installed = Path(service.execution.folder("good").read().python)
        assert installed != Path(sys.prefix)
        # As after the Python that it was made with was removed.
        (installed / "bin/python").unlink()
        (installed / "bin/python").symlink_to(tmp_path / "gone")
        put_job_with_requirements(caller, "later", wheel.as_uri())
        assert wait_for_end(service, "later") == "Completed"
        assert service.failures == []

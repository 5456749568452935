from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.protocol import (
    ClosureFile,
    JobRequest,
    LockedPackages,
    PackagesVenv,
    ScriptRequest,
)

FILES = (ClosureFile("src/ü b.py", "src", "src:lib", "needed by src/a.py"),)
VENV = PackagesVenv("/cache/venv", "seed.sh")
JOB = JobRequest(
    address="src/exp:job",
    job_file="src/exp/job.yaml",
    files=FILES,
    context_files=("src/exp/docker/Dockerfile",),
    packages=LockedPackages("default", "a.lock", "00", ("numpy", "pandas")),
    versions={"pants": "2.17.1"},
    errors=("one", "two"),
    venv=VENV,
)
BUNDLE = JobRequest("a:job", "a/job.yaml", (), (), LockedPackages("r", "l", "", ()), {})


@pytest.mark.parametrize("request_", [JOB, BUNDLE], ids=["full", "empty"])
def test_reads_a_job_request_as_it_was_written(tmp_path: Path, request_: JobRequest) -> None:
    (tmp_path / "request.json").write_bytes(request_.to_json())
    assert JobRequest.read(tmp_path / "request.json") == request_


@pytest.mark.parametrize(
    "request_",
    [
        ScriptRequest("a:local", "src/a/local.py", FILES, (), VENV),
        ScriptRequest("a:local", None, (), ("no such file",)),
    ],
    ids=["full", "with a mistake"],
)
def test_reads_a_script_request_as_it_was_written(tmp_path: Path, request_: ScriptRequest) -> None:
    (tmp_path / "request.json").write_bytes(request_.to_json())
    assert ScriptRequest.read(tmp_path / "request.json") == request_


def test_writes_the_same_bytes_for_the_same_request() -> None:
    other = JobRequest(**{**vars(BUNDLE), "versions": {"b": "1", "a": "2"}})
    again = JobRequest(**{**vars(BUNDLE), "versions": {"a": "2", "b": "1"}})
    assert other.to_json() == again.to_json()

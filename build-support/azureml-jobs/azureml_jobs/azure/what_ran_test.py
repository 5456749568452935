"""The record of a job in Azure, as it comes back from the stand-in service."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import JOB, Client
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.manifest import read_manifest


def test_a_job_leads_to_what_ran(client: Client, tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "x")):
        subprocess.run([*git, *command], cwd=client.repository, check=True)
    client.gathered.write("src/common/a.py", "A = 2\n")
    assert client.submit(JOB, "inputs.epochs=7") == 0
    (job,) = client.jobs()
    AzureJobs(client.connect()).record(job["name"], tmp_path / "got", with_code=True)
    manifest, marks = read_manifest(tmp_path / "got"), job["properties"]["properties"]
    assert manifest["overrides"] == ["inputs.epochs=7"]
    assert manifest["made"]["sdk"]["azure-ai-ml"] == version("azure-ai-ml")
    assert marks["azureml_jobs.commit"] == manifest["git"]["commit"]
    assert marks["azureml_jobs.dirty"] == "true"
    assert "+A = 2" in (tmp_path / "got/changes.diff").read_text()
    assert (tmp_path / "got/code/common/a.py").read_text() == "A = 2\n"


def test_a_job_of_another_tool_has_no_record(client: Client, tmp_path: Path) -> None:
    client.put_environment()
    workspace = client.connect()
    environment = workspace.asset_id("environments", "curated", "1")
    job = {"jobType": "Command", "command": "true", "environmentId": environment}
    workspace.put("jobs", "other", body={"properties": job})
    with pytest.raises(JobError, match="other: the job has no record of what it ran"):
        AzureJobs(workspace).record("other", tmp_path / "got", with_code=False)
    assert not (tmp_path / "got").exists()

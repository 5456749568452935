"""The record of a job in Azure, as it comes back from the stand-in service."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import Client
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.base.errors import JobError


def test_a_job_of_another_tool_has_no_record(client: Client, tmp_path: Path) -> None:
    client.put_environment()
    workspace = client.connect()
    environment = workspace.asset_id("environments", "curated", "1")
    job = {"jobType": "Command", "command": "true", "environmentId": environment}
    workspace.put("jobs", "other", body={"properties": job})
    with pytest.raises(JobError, match="other: the job has no record of what it ran"):
        AzureJobs(workspace).record("other", tmp_path / "got", with_code=False)
    assert not (tmp_path / "got").exists()

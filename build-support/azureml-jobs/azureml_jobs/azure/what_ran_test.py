"""The record of a job in Azure, as it comes back from the stand-in service."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import CODE_JOB, JOB, Client
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.azure.what_ran import check_assets
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.manifest_file import read_manifest, units_of


@pytest.fixture
def changed(client: Client) -> Client:
    """A repository of git with a change that no commit has."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "x")):
        subprocess.run([*git, *command], cwd=client.repository, check=True)
    client.gathered.write("src/common/a.py", "A = 2\n")
    return client


def test_a_job_of_the_workspace_is_rebuilt_to_run_here(changed: Client) -> None:
    assert changed.submit(CODE_JOB, "name=recorded") == 0
    changed.gathered.write("src/common/a.py", "A = 3\n")
    assert changed.run_aml("jobs", "reproduce", "recorded", "--local", "--check-only") == 1
    error = changed.printed().err
    assert "its result may differ: it ran in Azure ML, on other hardware" in error
    # Pants is not in this repository.
    assert "recorded/repository/pants: it cannot be started: No such file" in error
    clone = changed.repository / ".azureml/reproduced/recorded/repository"
    assert (clone / "src/common/a.py").read_text() == "A = 2\n"


def test_a_job_leads_to_what_ran(changed: Client, tmp_path: Path) -> None:
    client = changed
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
    environment = workspace.asset_id("environments", "curated", "versions", "1")
    job = {"jobType": "Command", "command": "true", "environmentId": environment}
    workspace.put("jobs", "other", body={"properties": job})
    with pytest.raises(JobError, match="other: the job has no record of what it ran"):
        AzureJobs(workspace).record("other", tmp_path / "got", with_code=False)
    assert not (tmp_path / "got").exists()


def test_a_record_that_somebody_changed_writes_nothing_elsewhere(
    client: Client, tmp_path: Path
) -> None:
    assert client.submit(CODE_JOB, "name=recorded") == 0
    service = client.service
    (blob,) = [
        blob
        for container in service.state.containers()
        for blob in service.state.blobs(container)
        if blob.name.endswith("/manifest.json")
    ]
    manifest = json.loads(blob.file.read_text())
    unit = {**units_of(manifest)[0], "name": "../../elsewhere"}
    changed = json.dumps({**manifest, "units": [unit]}).encode()
    blob.file, blob.md5, blob.size = service.blobs.keep([changed])
    service.state.put_blob(blob)
    with pytest.raises(OutsideError, match="would be written outside of the folder"):
        AzureJobs(client.connect()).record("recorded", tmp_path / "got", with_code=True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("credentials", ["Sas", "None"])
def test_code_is_read_with_whatever_the_datastore_has(
    client: Client, tmp_path: Path, credentials: str
) -> None:
    client.service.control.datastore_credentials = credentials
    client.use(client.service.client.direct("secret"))
    assert client.submit(CODE_JOB, "name=recorded") == 0
    AzureJobs(client.connect()).record("recorded", tmp_path / "got", with_code=True)
    assert (tmp_path / "got/code/common/a.py").read_text() == "A = 1\n"


def test_a_data_asset_that_is_gone_is_known_before_a_job_runs_again(client: Client) -> None:
    workspace = client.connect()
    uri = "azureml://datastores/workspaceblobstore/paths/x"
    body = {"properties": {"dataType": "uri_file", "dataUri": uri}}
    workspace.put("data", "w", "versions", "1", body=body)
    for asset in ("azureml:w:1", "azureml:w@latest"):
        check_assets(workspace, {"data": [{"input": "x", "asset": asset}, {"input": "p"}]})
    with pytest.raises(JobError, match="input x: standin-workspace has no azureml:w:2 any more"):
        check_assets(workspace, {"data": [{"input": "x", "asset": "azureml:w:2"}]})

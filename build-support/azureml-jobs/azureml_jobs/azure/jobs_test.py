"""Jobs and data of the stand-in service, which runs them: list, show, archive; doctor."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from azure.ai.ml.operations._run_history_constants import RunHistoryConstants
from azureml_jobs.azure.conftest import JOB, Client
from azureml_jobs.azure.stream import stream
from azureml_jobs.cli.jobs_parser import STATUSES


@pytest.fixture
def client(client_with_jobs: Client) -> Client:
    client_with_jobs.put_environment()
    return client_with_jobs


def test_lists_shows_and_archives(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    names = [client.start(f"listed-{number}", "true") for number in range(2)]
    client.until(lambda: all(client.status_of(name) == "Completed" for name in names))
    capsys.readouterr()
    assert client.run_aml("jobs", "list", "--json", "--status", "completed") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows if row["name"] in names] == names[::-1]
    assert client.run_aml("jobs", "show", names[0], "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["compute"]) == ("Completed", "cpu-cluster")
    assert shown["address"] == "src/exp:job" and shown["duration"] > 0
    assert client.run_aml("jobs", "show", names[0]) == 0
    assert f"  studio        {client.service.url}/runs/listed-0" in capsys.readouterr().out
    assert client.run_aml("jobs", "archive", names[0]) == 0
    capsys.readouterr()
    client.run_aml("jobs", "list", "--json")
    listed = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert names[1] in listed and names[0] not in listed
    client.run_aml("jobs", "list", "--json", "--archived")
    assert names[0] in {row["name"] for row in json.loads(capsys.readouterr().out)}


def test_takes_the_statuses_of_azure_ml() -> None:
    assert set(STATUSES) == set(RunHistoryConstants.ALL_STATUSES)


def test_lists_a_job_that_has_no_time(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    names = [client.start(f"timeless-{number}", "true") for number in range(2)]
    for name, created in zip(names, (None, "soon")):
        stored = {**client.service.jobs.stored(name), "createdAt": created}
        client.service.state.put_document("jobs", name, stored)
    capsys.readouterr()
    assert client.run_aml("jobs", "list", "--json") == 0
    rows = {row["name"]: row["created"] for row in json.loads(capsys.readouterr().out)}
    assert [rows[name] for name in names] == ["", ""]
    assert client.run_aml("jobs", "list") == 0


def test_says_that_there_is_no_such_job(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.run_aml("jobs", "show", "gone") == 2
    assert "gone: standin-workspace has no such job." in capsys.readouterr().err


def test_local_selects_the_local_workspace(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.service.recording.clear()
    assert client.run_aml("jobs", "list", "--local") == 0
    assert capsys.readouterr().out.startswith("No jobs.")
    assert client.requests() == []


def test_doctor_reports_what_works(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.run_aml("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        *(["ok", "configuration"], ["ok", "sign-in"], ["ok", "workspace"], ["ok", "compute"]),
        *(["ok", "storage"], ["ok", "registry"], ["ok", "versions"]),
    ]
    assert lines[1].endswith("by Azure CLI")


def test_doctor_reports_what_fails(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.set(WORKSPACE="other")
    assert client.run_aml("doctor") == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-2].startswith(
        "failed  workspace      environment variables: there is no workspace other in"
    )
    assert out[-1].startswith("ok      versions ")


def test_data_goes_to_the_workspace_and_comes_back(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    source = client.repository / "src/exp/data"
    for version in ("1", "2"):
        (source / "a.csv").write_text(version)
        assert client.run_aml("data", "register", "wine", "--path", str(source)) == 0
        assert (
            capsys.readouterr().out == f"azureml:wine:{version} registered in standin-workspace\n"
        )
    assert client.run_aml("data", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["version"] for row in rows if row["name"] == "wine"] == ["2"]
    assert client.run_aml("data", "download", "wine:1") == 0
    assert client.run_aml("data", "download", "azureml:wine@latest") == 0
    data = client.repository / "data/wine"
    assert [(data / version / "a.csv").read_text() for version in ("1", "2")] == ["1", "2"]
    # A job finds it by the same name here and there.
    from azureml_jobs.local.inputs import resolve_inputs

    job = {"inputs": {"wine": {"type": "uri_folder", "path": "azureml:wine:1"}}}
    found = resolve_inputs(job, client.repository / "src/exp/job.yaml", client.repository)
    assert found["wine"].value == str(data / "1")
    # A version stays what it is.
    (source / "a.csv").write_text("3")
    again = ("data", "register", "wine", "--path", str(source), "--version", "1")
    assert client.run_aml(*again) == 2
    assert "this version exists already" in capsys.readouterr().err


def test_a_file_comes_back_as_a_file(client: Client) -> None:
    from azureml_jobs.local.inputs import resolve_inputs

    assert client.run_aml("data", "register", "single", "--path", "src/exp/data/a.csv") == 0
    assert client.run_aml("data", "download", "single") == 0
    file = client.repository / "data/single/1/a.csv"
    assert file.read_text() == (client.repository / "src/exp/data/a.csv").read_text()
    job = {"inputs": {"table": {"type": "uri_file", "path": "azureml:single@latest"}}}
    found = resolve_inputs(job, client.repository / "src/exp/job.yaml", client.repository)
    assert found["table"].value == str(file)


def test_reports_data_that_is_gone_and_leaves_no_folder(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = "azureml://datastores/workspaceblobstore/paths/nowhere/"
    assert client.run_aml("data", "register", "hollow", "--path", nowhere) == 0
    capsys.readouterr()
    assert client.run_aml("data", "download", "hollow") == 1
    assert f"azureml:hollow:1: there is nothing at {nowhere}" in capsys.readouterr().err
    assert not (client.repository / "data/hollow").exists()
    assert client.run_aml("data", "download", "never-made") == 2
    assert "azureml:never-made: standin-workspace has no such data" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "source"), [("folder", "data"), ("file", "data/a.csv")])
def test_models_go_to_the_workspace_and_come_back(
    client: Client, capsys: pytest.CaptureFixture[str], name: str, source: str
) -> None:
    from azureml_jobs.local.inputs import resolve_inputs

    path = client.repository / "src/exp" / source
    assert client.run_aml("models", "register", name, "--path", str(path)) == 0
    assert client.run_aml("models", "list", "--json") == 0
    out = capsys.readouterr().out
    assert (
        out.startswith(f"azureml:{name}:1 registered in standin-workspace\n") and f'"{name}"' in out
    )
    stored = client.service.assets.version("models", name, "1")
    assert stored is not None and stored["properties"]["modelType"] == "custom_model"
    # A job finds it by the same name here and there.
    for _ in range(2):
        assert client.run_aml("models", "download", name) == 0
    assert f" files in .azureml/models/{name}/1/content" in capsys.readouterr().out
    job = {"inputs": {"net": {"type": "custom_model", "path": f"azureml:{name}:1"}}}
    job_file = client.repository / "src/exp/job.yaml"
    found = Path(resolve_inputs(job, job_file, client.repository)["net"].value)
    assert found.is_dir() == path.is_dir() and found.name == (
        "content" if path.is_dir() else "a.csv"
    )
    assert (found / "a.csv" if path.is_dir() else found).read_text() == "1\n"


def test_a_job_s_output_becomes_a_model(client: Client) -> None:
    address = "azureml://jobs/train-1/outputs/artifacts/paths/model/"
    arguments = ("--path", address, "--type", "mlflow_model", "--version", "3")
    assert client.run_aml("models", "register", "net", *arguments) == 0
    stored = client.service.assets.version("models", "net", "3")
    assert stored is not None
    assert stored["properties"]["modelUri"].endswith("/dcid.train-1/model")
    assert stored["properties"]["modelType"] == "mlflow_model"


def test_lists_components_without_those_of_steps(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.put_environment()
    workspace = client.connect()
    environment = f"azureml:{workspace.asset_id('environments', 'curated', 'versions', '1')}"
    spec = {"version": "1", "type": "command", "command": "ls", "environment": environment}
    for name in ("azureml_anonymous", "train"):
        body = {"properties": {"componentSpec": {"name": name, **spec}}}
        workspace.put("components", name, "versions", "1", body=body)
    assert client.run_aml("components", "list", "--json") == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert "train" in names and "azureml_anonymous" not in names


def test_a_job_gets_the_workspace_s_data(client: Client) -> None:
    client.run_aml("data", "register", "for-a-job", "--path", "src/exp/data", "--version", "7")
    job = JOB.replace("path: data", "path: 'azureml:for-a-job:7'").replace(
        "python -m exp.main --epochs ${{inputs.epochs}} --data", "cat $(find"
    )
    job = job.replace("${{inputs.data}}", "${{inputs.data}} -name a.csv); echo ${{inputs.epochs}}")
    job = job.replace("{build: {path: docker}}", "azureml:curated:1")
    assert client.submit(job, "name=with-data") == 0
    out = io.BytesIO()
    assert stream(client.connect(), "with-data", out) == 0
    assert out.getvalue() == b"1\n3\n"

"""Jobs and data of the stand-in service, which runs them: list, show, archive; doctor."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from azure.ai.ml.operations._run_history_constants import RunHistoryConstants
from azureml_jobs.azure.conftest import JOB, Client
from azureml_jobs.azure.stream import stream
from azureml_jobs.cli.jobs_parser import STATUSES


@pytest.fixture
def client(client_with_jobs: Client) -> Client:
    return client_with_jobs


def test_lists_shows_and_archives(client: Client) -> None:
    names = [client.start(f"listed-{number}", "true") for number in range(2)]
    client.until(lambda: all(client.status_of(name) == "Completed" for name in names))
    rows = client.read_json("jobs", "list", "--status", "completed")
    assert [row["name"] for row in rows if row["name"] in names] == names[::-1]
    shown = client.show(names[0])
    assert (shown["status"], shown["compute"]) == ("Completed", "cpu-cluster")
    assert shown["address"] == "src/exp:job" and shown["duration"] > 0
    assert client.run_aml("jobs", "show", names[0]) == 0
    assert f"  studio        {client.service.url}/runs/listed-0" in client.printed().out
    assert client.run_aml("jobs", "archive", names[0]) == 0
    listed = {row["name"] for row in client.read_json("jobs", "list")}
    assert names[1] in listed and names[0] not in listed
    assert names[0] in {row["name"] for row in client.read_json("jobs", "list", "--archived")}


def test_takes_the_statuses_of_azure_ml() -> None:
    assert set(STATUSES) == set(RunHistoryConstants.ALL_STATUSES)


def test_lists_a_job_that_has_no_time(client: Client) -> None:
    names = [client.start(f"timeless-{number}", "true") for number in range(2)]
    for name, created in zip(names, (None, "soon")):
        stored = {**client.service.jobs.stored(name), "createdAt": created}
        client.service.state.put_document("jobs", name, stored)
    rows = {row["name"]: row["created"] for row in client.read_json("jobs", "list")}
    assert [rows[name] for name in names] == ["", ""]
    assert client.run_aml("jobs", "list") == 0


@pytest.mark.parametrize("tag", ["lr=0.1", "0.1", "[1]"])
def test_a_tag_named_like_that_of_trials_is_no_problem(client: Client, tag: str) -> None:
    name = client.start(f"tagged-{len(tag)}", "true")
    client.wait_for_end(name)
    stored = client.service.jobs.stored(name)
    tags = {"hyperparameters": tag}
    changed = {**stored, "properties": {**stored["properties"], "tags": tags}}
    client.service.state.put_document("jobs", name, changed)
    rows = {row["name"]: row for row in client.read_json("jobs", "list")}
    assert rows[name]["parameters"] == {}
    assert client.run_aml("jobs", "list") == 0


def test_says_that_there_is_no_such_job(client: Client) -> None:
    assert client.run_aml("jobs", "show", "gone") == 2
    assert "gone: standin-workspace has no such job." in client.printed().err


def test_data_goes_to_the_workspace_and_comes_back(client: Client) -> None:
    source = client.repository / "src/exp/data"
    for version in ("1", "2"):
        (source / "a.csv").write_text(version)
        assert client.run_aml("data", "register", "wine", "--path", str(source)) == 0
        assert client.printed().out == f"azureml:wine:{version} registered in standin-workspace\n"
    rows = client.read_json("data", "list")
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
    assert "this version exists already" in client.printed().err


def test_reports_data_that_is_gone_and_leaves_no_folder(client: Client) -> None:
    nowhere = "azureml://datastores/workspaceblobstore/paths/nowhere/"
    assert client.run_aml("data", "register", "hollow", "--path", nowhere) == 0
    client.printed()
    assert client.run_aml("data", "download", "hollow") == 1
    assert f"azureml:hollow:1: there is nothing at {nowhere}" in client.printed().err
    assert not (client.repository / "data/hollow").exists()
    assert client.run_aml("data", "download", "never-made") == 2
    assert "azureml:never-made: standin-workspace has no such data" in client.printed().err


@pytest.mark.parametrize(("name", "source"), [("folder", "data"), ("file", "data/a.csv")])
def test_models_go_to_the_workspace_and_come_back(client: Client, name: str, source: str) -> None:
    from azureml_jobs.local.inputs import resolve_inputs

    path = client.repository / "src/exp" / source
    assert client.run_aml("models", "register", name, "--path", str(path)) == 0
    assert client.run_aml("models", "list", "--json") == 0
    out = client.printed().out
    assert (
        out.startswith(f"azureml:{name}:1 registered in standin-workspace\n") and f'"{name}"' in out
    )
    assert client.asset("models", name)["modelType"] == "custom_model"
    # A job finds it by the same name here and there.
    for _ in range(2):
        assert client.run_aml("models", "download", name) == 0
    assert f" files in .azureml/models/{name}/1/content" in client.printed().out
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
    stored = client.asset("models", "net", "3")
    assert stored["modelUri"].endswith("/dcid.train-1/model")
    assert stored["modelType"] == "mlflow_model"


def test_lists_components_without_those_of_steps(client: Client) -> None:
    workspace = client.connect()
    environment = f"azureml:{workspace.asset_id('environments', 'curated', 'versions', '1')}"
    spec = {"version": "1", "type": "command", "command": "ls", "environment": environment}
    for name in ("azureml_anonymous", "train"):
        body = {"properties": {"componentSpec": {"name": name, **spec}}}
        workspace.put("components", name, "versions", "1", body=body)
    names = [row["name"] for row in client.read_json("components", "list")]
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

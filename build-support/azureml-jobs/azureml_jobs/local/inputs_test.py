"""Inputs and outputs of a job file are resolved on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.assets import MODELS
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import COMPLETED, RUNNING
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput, missing_inputs, resolve_inputs
from azureml_jobs.local.local_assets import LocalAssets
from azureml_jobs.local.mounts import output_paths
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace

FOLDER = ".azureml/jobs/exp-1"
ADDRESS = "azureml://jobs/exp-1/outputs"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "a répo"
    for name in ("src/x", "data/flat", "data/many/1", "data/many/2", "data/many/10"):
        (root / name).mkdir(parents=True)
    for name in ("src/x/azure-ml-job.yaml", "data/flat/f.csv", "data/many/2/only.csv"):
        (root / name).touch()
    for name in ("a.csv", "b.csv"):
        (root / "data/many/10" / name).touch()
    for path in ("data/many/10", "data/flat/f.csv"):
        LocalAssets(MODELS, root).register("wine", str(root / path), None, None)
    for status in (COMPLETED, RUNNING):
        add_job(root, status)
    return root


def add_job(repo: Path, status: str) -> None:
    """Add a job that left a folder, a file and artifacts."""

    def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
        paths = ("outputs/model/below/m", "outputs/report/report", "work/outputs/sub/o.txt")
        for path in paths:
            (temporary.path / path).parent.mkdir(parents=True)
            (temporary.path / path).touch()
        outputs = {"model": f"{final.outputs}/model", "report": f"{final.outputs}/report/report"}
        return JobRecord("", status=status, outputs=outputs)

    LocalWorkspace(repo / ".azureml").new_job("exp", write)


def resolve(repo: Path, given: Any) -> ResolvedInput:
    job_file = repo / "src/x/azure-ml-job.yaml"
    return resolve_inputs({"inputs": {"in": given}}, job_file, repo)["in"]


@pytest.mark.parametrize(
    "given, text",
    [
        (3, "3"),
        (0.001, "0.001"),
        (True, "True"),
        ("a b", "a b"),
        ("azureml:flat:1", "azureml:flat:1"),
        ({"value": 2.5}, "2.5"),
        ({"value": False}, "False"),
    ],
)
def test_literals_have_the_text_that_azure_ml_passes(repo: Path, given: Any, text: str) -> None:
    assert resolve(repo, given) == ResolvedInput("literal", text)


@pytest.mark.parametrize(
    "type, path, found",
    [
        ("uri_folder", "../../data/flat", "data/flat"),
        ("", "../../data/flat/", "data/flat"),
        ("uri_file", "../../data/flat/f.csv", "data/flat/f.csv"),
        ("custom_model", "../../data/flat/f.csv", "data/flat/f.csv"),
        ("uri_folder", "azureml:flat:7", "data/flat"),
        ("uri_folder", "azureml:flat@latest", "data/flat"),
        ("mltable", "azureml:many:1", "data/many/1"),
        ("uri_folder", "azureml:many@latest", "data/many/10"),
        ("uri_file", "azureml:many:2", "data/many/2/only.csv"),
        ("mlflow_model", "azureml:wine:1", ".azureml/models/wine/1/content"),
        ("custom_model", "azureml:wine@latest", ".azureml/models/wine/2/content/f.csv"),
        ("", f"{ADDRESS}/model", f"{FOLDER}/outputs/model"),
        ("", f"{ADDRESS}/model/paths/", f"{FOLDER}/outputs/model"),
        ("", f"{ADDRESS}/model/paths/below", f"{FOLDER}/outputs/model/below"),
        ("uri_file", f"{ADDRESS}/report", f"{FOLDER}/outputs/report/report"),
        ("", f"{ADDRESS}/artifacts/paths/outputs/sub/", f"{FOLDER}/work/outputs/sub"),
        ("uri_file", f"{ADDRESS}/default/outputs/sub/o.txt", f"{FOLDER}/work/outputs/sub/o.txt"),
    ],
)
def test_finds_data_on_this_machine(repo: Path, type: str, path: str, found: str) -> None:
    resolved = resolve(repo, {"path": path} | ({"type": type} if type else {}))
    assert (resolved.kind, resolved.value) == ("path", str(repo / found))
    assert resolved.asset == (path if path.startswith("azureml:") else None)


def test_fetches_an_address_but_not_to_say_what_is_missing(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(url: str, cache: Path) -> Path:
        asked.append(url)
        return cache / "x.csv"

    monkeypatch.setattr("azureml_jobs.local.fetch.fetch", fetch)
    resolve(repo, {"type": "uri_file", "path": "wasbs://data@name.blob.core.windows.net/a/x.csv"})
    given = {"type": "uri_file", "path": "https://host/x.csv?sig=s"}
    found = resolve(repo, given)
    assert (found.value, found.asset) == (f"{repo}/.azureml/cache/x.csv", "https://host/x.csv")
    assert asked == ["https://name.blob.core.windows.net/data/a/x.csv", given["path"]]
    monkeypatch.setattr("azureml_jobs.local.fetch.fetch", None)
    assert missing_inputs({"inputs": {"in": given}}, repo / "src/x/azure-ml-job.yaml", repo) == []


def test_keeps_the_mode(repo: Path) -> None:
    assert resolve(repo, {"path": "../../data", "mode": "download"}).mode == "download"


@pytest.mark.parametrize(
    "given, what, remedy",
    [
        ({"path": "nope"}, "nope does not exist", "Looked for src/x/nope."),
        ({"path": "n" * 300}, "n does not exist", "Looked for src/x/nnn"),
        ({"path": f"{ADDRESS}/model/paths/" + "n" * 300}, "left nothing there", "outputs/model"),
        (
            {"path": "azureml:none:1"},
            "azureml:none:1: the local workspace has no such data",
            "Looked for data/none/1 and data/none.",
        ),
        (
            {"path": "azureml:many:3"},
            "azureml:many:3: the local workspace has no such data",
            "There are azureml:many:1, azureml:many:2, azureml:many:10.",
        ),
        ({"path": "azureml:flat"}, "does not name a version", "azureml:<name>:"),
        ({"path": "azureml:../x:1"}, "does not name a version", "azureml:<name>:"),
        (
            {"path": "azureml://datastores/d/paths/p"},
            "the local workspace does not fetch azureml://datastores/d/paths/p",
            "./pants run :aml -- data register in --path azureml://datastores/d/paths/p\n",
        ),
        ({"path": "abfss://a@b.dfs.core.windows.net/c"}, "not fetch abfss", "Put a copy"),
        (
            {"path": "runs:/exp-1/model"},
            "does not fetch runs:/exp-1/model",
            "`path: azureml://jobs/exp-1/outputs/artifacts/paths/model`.",
        ),
        ({"path": "https://host/x.csv?sig=s"}, "https://host/x.csv: no folder", "uri_file"),
        (
            {"type": "mlflow_model", "path": "azureml:wine:7"},
            "azureml:wine:7: the local workspace has no such model",
            "There are azureml:wine:1, azureml:wine:2.\nRegister a copy:\n\n./pants run :aml",
        ),
        (
            {"path": "azureml://jobs/exp-1/outputs/none"},
            "azureml://jobs/exp-1/outputs/none: the job has no output `none`",
            "Valid here: `model`, `report`, `artifacts`.",
        ),
        ({"path": f"{ADDRESS}/model/paths/../x"}, "the job left nothing there", "outputs/model"),
        ({"path": "azureml://jobs/exp-9/outputs/model"}, "no such job", "exp-1"),
        ({"path": "azureml://jobs/exp-2/outputs/model"}, "not ended yet", "stream exp-2"),
        ({"path": "azureml://jobs/exp-1/outputs/artifacts"}, "no artifact", "`outputs`"),
        ({"path": "azureml://jobs/exp-1"}, "no address of a job's output", "OUTPUT/paths"),
        (
            {"type": "uri_file", "path": "../../data/flat"},
            "`type: uri_file` is given a folder, data/flat",
            "For example `path: ../../data/flat/f.csv`.",
        ),
        (
            {"type": "uri_folder", "path": "../../data/flat/f.csv"},
            "`type: uri_folder` is given a file, data/flat/f.csv",
            "Write `type: uri_file`",
        ),
        ({"type": "uri_file", "path": "azureml:many:10"}, "is given a folder", "Write"),
        ({"type": "uri_file"}, "names no path", "Write `path:`"),
        (None, "no value", "Write `in:"),
        ([1], "no value", "Write `in:"),
    ],
)
def test_reports_what_to_write(repo: Path, given: Any, what: str, remedy: str) -> None:
    with pytest.raises(JobError) as caught:
        resolve(repo, given)
    key = ".path" if isinstance(given, dict) and "path" in given else ""
    assert caught.value.where == f"src/x/azure-ml-job.yaml: inputs.in{key}"
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_a_job_file_needs_no_inputs(repo: Path) -> None:
    assert resolve_inputs({}, repo / "src/x/azure-ml-job.yaml", repo) == {}
    assert resolve_inputs({"inputs": None}, repo / "src/x/azure-ml-job.yaml", repo) == {}


def test_outputs_are_folders_or_files_in_folders(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "jobs" / "a-1")
    outputs = {
        "model": None,
        "report": {"type": "uri_file", "path": "azureml://datastores/d/paths/p"},
        "default": {"path": "./outputs"},
    }
    assert output_paths({"outputs": outputs}, folder) == {
        "model": folder.outputs / "model",
        "report": folder.outputs / "report" / "report",
    }

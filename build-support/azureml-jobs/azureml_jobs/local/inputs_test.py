"""Inputs and outputs of a job file are resolved on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput, resolve_inputs
from azureml_jobs.local.outputs import resolve_outputs


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "a répo"
    for name in ("src/x", "data/flat", "data/many/1", "data/many/2", "data/many/10"):
        (root / name).mkdir(parents=True)
    for name in ("src/x/azure-ml-job.yaml", "data/flat/f.csv", "data/many/2/only.csv"):
        (root / name).touch()
    for name in ("a.csv", "b.csv"):
        (root / "data/many/10" / name).touch()
    return root


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
    "given, path",
    [
        ({"type": "uri_folder", "path": "../../data/flat"}, "data/flat"),
        ({"path": "../../data/flat/"}, "data/flat"),
        ({"type": "uri_file", "path": "../../data/flat/f.csv"}, "data/flat/f.csv"),
        ({"type": "custom_model", "path": "../../data/flat/f.csv"}, "data/flat/f.csv"),
        ({"type": "uri_folder", "path": "azureml:flat:7"}, "data/flat"),
        ({"type": "uri_folder", "path": "azureml:flat@latest"}, "data/flat"),
        ({"type": "mltable", "path": "azureml:many:1"}, "data/many/1"),
        ({"type": "uri_folder", "path": "azureml:many@latest"}, "data/many/10"),
        ({"type": "uri_file", "path": "azureml:many:2"}, "data/many/2/only.csv"),
    ],
)
def test_finds_data_on_this_machine(repo: Path, given: Any, path: str) -> None:
    found = resolve(repo, given)
    assert (found.kind, found.value) == ("path", str(repo / path))
    asset = given["path"] if given["path"].startswith("azureml:") else None
    assert found.asset == asset


def test_keeps_the_mode(repo: Path) -> None:
    assert resolve(repo, {"path": "../../data", "mode": "download"}).mode == "download"


@pytest.mark.parametrize(
    "given, key, what, remedy",
    [
        ({"path": "nope"}, ".path", "nope does not exist", "Looked for src/x/nope."),
        (
            {"path": "azureml:none:1"},
            ".path",
            "azureml:none:1 is not among the data of the local workspace",
            "Looked for data/none/1 and data/none.",
        ),
        (
            {"path": "azureml:many:3"},
            ".path",
            "azureml:many:3 is not among",
            "There are azureml:many:1, azureml:many:2, azureml:many:10.",
        ),
        ({"path": "azureml:flat"}, ".path", "is not the name of a version", "azureml:<name>:"),
        ({"path": "azureml:../x:1"}, ".path", "is not the name of a version", "azureml:<name>:"),
        (
            {"path": "azureml://datastores/d/paths/p"},
            ".path",
            "the local workspace does not fetch azureml://datastores/d/paths/p",
            "Put a copy under data/in",
        ),
        ({"path": "https://host/x.csv"}, ".path", "does not fetch https", "Put a copy under"),
        (
            {"type": "uri_file", "path": "../../data/flat"},
            ".path",
            "`type: uri_file` is given a folder, data/flat",
            "For example `path: ../../data/flat/f.csv`.",
        ),
        (
            {"type": "uri_folder", "path": "../../data/flat/f.csv"},
            ".path",
            "`type: uri_folder` is given a file, data/flat/f.csv",
            "Write `type: uri_file`",
        ),
        ({"type": "uri_file", "path": "azureml:many:10"}, ".path", "is given a folder", "Write"),
        ({"type": "uri_file"}, "", "names no path", "Write `path:`"),
        (None, "", "no value", "Write `in:"),
        ([1], "", "no value", "Write `in:"),
    ],
)
def test_reports_what_to_write(repo: Path, given: Any, key: str, what: str, remedy: str) -> None:
    with pytest.raises(JobError) as caught:
        resolve(repo, given)
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
    found = resolve_outputs({"outputs": outputs}, folder)
    assert set(found) == {"model", "report"}
    assert found["model"].path == found["model"].folder == folder.outputs / "model"
    assert found["report"].path == folder.outputs / "report" / "report"
    assert found["report"].folder == folder.outputs / "report"
    assert not folder.path.exists()

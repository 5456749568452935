"""What azure-ai-ml sends of command jobs, compared with what is checked here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import load_job
from azure.ai.ml.entities._job._input_output_helpers import (
    to_rest_dataset_literal_inputs,
    validate_inputs_for_command,
)
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.expressions import literal_text, reference_findings
from azureml_jobs.jobfile.overrides import apply_overrides
from azureml_jobs.jobfile.schema.check import check_schema

ABSENT = "(absent)"
SMALL = {"command": "python main.py", "environment": "azureml:e:1"}
# Values of a job's keys that the shapes of tested_shapes.py do not have.
VALUES: dict[str, list[Any]] = {
    "command": [ABSENT, ["a"]],
    "type": ["Command"],
    "comput": ["x"],
    "compute": ["gpu", None, 5],
    "name": [5],
    "description": [None],
    "tags": [{"a": 5}, ["a"]],
    "properties": [{"a": True}],
    # What Azure ML sets.
    "status": ["Completed"],
    "id": ["x"],
    "log_files": [{"a": "b"}],
    "shm_size": ["2g"],
    "environment": [
        *(ABSENT, None, "e:1", "azureml:e", "azureml://registries/r/environments/e"),
        {"name": "a", "version": 1, "image": "python:3"},
        {"build": {"path": ".", "args": {"a": "b"}}},
        {"description": "x"},
        {"image": "x", "build": {"path": "."}},
        {"conda_file": {"dependencies": []}},
        {"image": "x", "os_type": "mac"},
        {"image": "x", "tags": {"a": 5}},
        {"image": "x", "environment_variables": {}},
        {"image": "x", "channels": []},
        {"image": "x", "inference_config": {"liveness_route": {"port": 80, "path": "/"}}},
    ],
    "environment_variables": [{"A": "b", "C": 5, "D": True, "E": None}, ["A=b"]],
    "resources": [
        *({"instance_count": value} for value in ("2", " 2 ", 2.5, "2.5", True, None, "two")),
        *({"docker_args": value} for value in ("--gpus all", 5, [5])),
        *({"shm_size": 2}, {"instances": 2}),
    ],
    "limits": [{"trial_timeout": 3600}, {"timeout": float("inf")}],
    "distribution": [
        {"type": "ray", "include_dashboard": "maybe"},
        {"type": "pytorch", "worker_count": 2},
        {"process_count_per_instance": 2},
        {"type": "horovod"},
    ],
    "queue_settings": [{"job_tier": "gold"}],
    "identity": [
        *({"type": name} for name in ("ManagedIdentity", "AMLToken", "amltoken")),
        *({"type": "user_identity", "client_id": "x"}, {"client_id": "x"}),
    ],
    "services": [
        {"s": {"type": "vs_code", "log_dir": "l"}},
        {"s": {"ssh_public_keys": "k"}},
        {"s": {"ssh_public_keys": "k", "log_dir": "l"}},
        {"s": {"type": "ssh", "endpoint": "x"}},
        {"s": {"type": "ssh", "key": "x"}},
        {"s": None},
    ],
    "inputs": [
        *(None, {"my-x": 1}, {"1x": 1}),
        *({"x": value} for value in (None, float("nan"), float("inf"))),
        {"x": [1]},
        {"x": {}},
        {"x": {"value": None}},
        {"x": {"value": 5, "type": "integer"}},
        {"x": {"type": "integer", "default": 5}},
        {"x": {"type": "uri_file", "path": "https://x/y.csv"}},
        {"x": {"type": "URI_FILE", "path": "https://x/y.csv"}},
        {"x": {"path": "https://x/y.csv"}},
        {"x": {"type": "uri_folder", "path": "azureml://datastores/d/paths/p", "mode": "ro_mount"}},
        {"x": {"type": "uri_folder", "path": "azureml:d:1", "mode": "rw_mount"}},
        {"x": {"type": "uri_folder", "path": "azureml:d:1", "mode": "eval_mount"}},
        {"x": {"path": "azureml:d:1", "mode": "eval_mount"}},
        {"x": {"type": "custom_model", "path": "azureml:m:1", "path_on_compute": "/x"}},
        {"x": {"type": "csv", "path": "azureml:d:1"}},
        {"x": {"type": "uri_file", "paths": "azureml:d:1"}},
        {"x": {"type": "uri_file", "path": "https://x", "datastore": "d"}},
        {"x": {"type": "uri_file"}},
    ],
    "outputs": [
        {"my-y": {"type": "uri_file"}},
        *({"y": value} for value in ({}, "x", {"description": "x"})),
        {"y": {"type": "uri_folder", "mode": "RW_Mount"}},
        {"y": {"type": "uri_folder", "mode": "ro_mount"}},
        {"y": {"type": "mlflow_model", "name": "m", "version": 1.5}},
    ],
    "code": [None],
}
ENTRIES = [(key, value) for key, values in VALUES.items() for value in values]


def refused_by_the_sdk(job: dict[str, Any], folder: Path) -> bool:
    file = folder / "job.yaml"
    file.write_text(yaml.safe_dump(job), encoding="utf-8")
    logging.disable(logging.CRITICAL)
    try:
        loaded: Any = load_job(file)
        loaded._to_job()._to_rest_object()
    except Exception:
        return True
    finally:
        logging.disable(logging.NOTSET)
    return False


@pytest.mark.parametrize(
    ("key", "value"), ENTRIES, ids=[f"{key}: {value}" for key, value in ENTRIES]
)
@pytest.mark.filterwarnings("ignore")
def test_accepts_and_refuses_what_the_sdk_does(key: str, value: Any, tmp_path: Path) -> None:
    job = {**SMALL, key: value}
    if value == ABSENT:
        del job[key]
    try:
        check_schema(job, "job.yaml")
        refused = ""
    except JobError as error:
        refused = str(error)
    (tmp_path / "D").write_text("FROM x", encoding="utf-8")
    assert bool(refused) == refused_by_the_sdk(job, tmp_path), refused


@pytest.mark.parametrize(
    "command",
    [
        "python m.py ${{inputs.epochs}}",
        "python m.py ${{inputs.epoch}}",
        "python m.py ${{inputs.epochs.path}}",
        "python m.py $[[--x ${{inputs.other}}]]",
        "python m.py",
    ],
)
def test_refuses_the_references_that_the_sdk_refuses(command: str) -> None:
    inputs = {"epochs": 5}
    try:
        validate_inputs_for_command(command, inputs)
        accepted = True
    except Exception:
        accepted = False
    assert accepted == (not reference_findings({"command": command, "inputs": inputs}))


@pytest.mark.parametrize("value", [5, 0.5, 1e-5, 1e20, True, False, "a b", "1e-3"])
def test_writes_literals_as_the_sdk_sends_them(value: Any) -> None:
    sent: Any
    (sent,) = to_rest_dataset_literal_inputs({"x": value}, job_type="command").values()
    assert literal_text(value) == sent.value


@pytest.mark.parametrize(
    "setting",
    [
        "compute=gpu",
        "tags.owner=me",
        r"tags.a\.b=c",
        "limits.timeout=60",
        "resources.instance_count=3",
        "resources.locations[0]=westus",
        "inputs.epochs=20",
        "inputs.verbose=False",
        "inputs.data.path=https://x/new.csv",
        "outputs.model.mode=upload",
        "environment_variables.X=1",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_setting_means_what_the_sdk_takes_it_for(setting: str, tmp_path: Path) -> None:
    job = {
        **SMALL,
        "name": "a",
        "compute": "cpu",
        "resources": {"instance_count": 2, "locations": ["eastus"]},
        "inputs": {
            "epochs": 5,
            "verbose": True,
            "data": {"type": "uri_file", "path": "https://x/old.csv"},
        },
        "outputs": {"model": {"type": "uri_folder"}},
    }
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(job), encoding="utf-8")
    key, _, value = setting.partition("=")
    theirs: Any = load_job(file, params_override=[{key: value}])
    file.write_text(yaml.safe_dump(apply_overrides(job, [setting], "job.yaml")), encoding="utf-8")
    ours: Any = load_job(file)
    sent = theirs._to_job()._to_rest_object().as_dict()
    assert ours._to_job()._to_rest_object().as_dict() == sent

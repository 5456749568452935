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
from azureml_jobs.jobfile.findings import raise_findings
from azureml_jobs.jobfile.overrides import apply_overrides
from azureml_jobs.jobfile.schema.check import check_schema

ABSENT = object()
SMALL = {"command": "python main.py", "environment": "azureml:e:1"}


def changed(**keys: Any) -> dict[str, Any]:
    return {key: value for key, value in {**SMALL, **keys}.items() if value is not ABSENT}


def with_input(value: Any) -> dict[str, Any]:
    return changed(inputs={"x": value})


def with_output(value: Any) -> dict[str, Any]:
    return changed(outputs={"y": value})


# What the shapes of shapes.py do not have.
JOBS = {
    "no command": changed(command=ABSENT),
    "no environment": changed(environment=ABSENT),
    "command is a list": changed(command=["a"]),
    "type in capitals": changed(type="Command"),
    "unknown key": changed(comput="x"),
    "compute any text": changed(compute="gpu"),
    "compute null": changed(compute=None),
    "compute a number": changed(compute=5),
    "name a number": changed(name=5),
    "description null": changed(description=None),
    "tag number": changed(tags={"a": 5}),
    "tags a list": changed(tags=["a"]),
    "properties boolean": changed(properties={"a": True}),
    "read-only status": changed(status="Completed"),
    "read-only id": changed(id="x"),
    "read-only log files": changed(log_files={"a": "b"}),
    "shm_size on top": changed(shm_size="2g"),
    "environment without prefix": changed(environment="e:1"),
    "environment without version": changed(environment="azureml:e"),
    "environment of a registry": changed(environment="azureml://registries/r/environments/e"),
    "environment null": changed(environment=None),
    "environment named": changed(environment={"name": "a", "version": 1, "image": "python:3"}),
    "environment build args": changed(environment={"build": {"path": ".", "args": {"a": "b"}}}),
    "environment of neither image nor build": changed(environment={"description": "x"}),
    "environment of image and build": changed(environment={"image": "x", "build": {"path": "."}}),
    "environment conda alone": changed(environment={"conda_file": {"dependencies": []}}),
    "environment bad os": changed(environment={"image": "x", "os_type": "mac"}),
    "environment tags numbers": changed(environment={"image": "x", "tags": {"a": 5}}),
    "environment variables inside": changed(
        environment={"image": "x", "environment_variables": {}}
    ),
    "environment channels": changed(environment={"image": "x", "channels": []}),
    "environment one route": changed(
        environment={
            "image": "x",
            "inference_config": {"liveness_route": {"port": 80, "path": "/"}},
        }
    ),
    "variables": changed(environment_variables={"A": "b", "C": 5, "D": True, "E": None}),
    "variables a list": changed(environment_variables=["A=b"]),
    "instances text": changed(resources={"instance_count": "2"}),
    "instances text with blanks": changed(resources={"instance_count": " 2 "}),
    "instances fraction": changed(resources={"instance_count": 2.5}),
    "instances fraction text": changed(resources={"instance_count": "2.5"}),
    "instances boolean": changed(resources={"instance_count": True}),
    "instances null": changed(resources={"instance_count": None}),
    "instances word": changed(resources={"instance_count": "two"}),
    "docker args text": changed(resources={"docker_args": "--gpus all"}),
    "docker args number": changed(resources={"docker_args": 5}),
    "docker args list of numbers": changed(resources={"docker_args": [5]}),
    "shm size number": changed(resources={"shm_size": 2}),
    "resources unknown": changed(resources={"instances": 2}),
    "limits unknown": changed(limits={"trial_timeout": 3600}),
    "limits infinite": changed(limits={"timeout": float("inf")}),
    "ray dashboard maybe": changed(distribution={"type": "ray", "include_dashboard": "maybe"}),
    "pytorch workers": changed(distribution={"type": "pytorch", "worker_count": 2}),
    "distribution without type": changed(distribution={"process_count_per_instance": 2}),
    "distribution unknown": changed(distribution={"type": "horovod"}),
    "queue unknown": changed(queue_settings={"job_tier": "gold"}),
    "identity managed camel": changed(identity={"type": "ManagedIdentity"}),
    "identity token": changed(identity={"type": "AMLToken"}),
    "identity token flat": changed(identity={"type": "amltoken"}),
    "identity user client": changed(identity={"type": "user_identity", "client_id": "x"}),
    "identity without type": changed(identity={"client_id": "x"}),
    "service code with log dir": changed(services={"s": {"type": "vs_code", "log_dir": "l"}}),
    "service ssh keys without type": changed(services={"s": {"ssh_public_keys": "k"}}),
    "service both": changed(services={"s": {"ssh_public_keys": "k", "log_dir": "l"}}),
    "service read-only": changed(services={"s": {"type": "ssh", "endpoint": "x"}}),
    "service unknown": changed(services={"s": {"type": "ssh", "key": "x"}}),
    "service null": changed(services={"s": None}),
    "input null": with_input(None),
    "input list": with_input([1]),
    "input nan": with_input(float("nan")),
    "input infinite": with_input(float("inf")),
    "input value null": with_input({"value": None}),
    "input value and type": with_input({"value": 5, "type": "integer"}),
    "input typed literal": with_input({"type": "integer", "default": 5}),
    "input file": with_input({"type": "uri_file", "path": "https://x/y.csv"}),
    "input file in capitals": with_input({"type": "URI_FILE", "path": "https://x/y.csv"}),
    "input without type": with_input({"path": "https://x/y.csv"}),
    "input datastore": with_input(
        {"type": "uri_folder", "path": "azureml://datastores/d/paths/p", "mode": "ro_mount"}
    ),
    "input writable": with_input({"type": "uri_folder", "path": "azureml:d:1", "mode": "rw_mount"}),
    "input eval of a folder": with_input(
        {"type": "uri_folder", "path": "azureml:d:1", "mode": "eval_mount"}
    ),
    "input eval without type": with_input({"path": "azureml:d:1", "mode": "eval_mount"}),
    "input model path on compute": with_input(
        {"type": "custom_model", "path": "azureml:m:1", "path_on_compute": "/x"}
    ),
    "input unknown type": with_input({"type": "csv", "path": "azureml:d:1"}),
    "input unknown key": with_input({"type": "uri_file", "paths": "azureml:d:1"}),
    "input stored elsewhere": with_input(
        {"type": "uri_file", "path": "https://x", "datastore": "d"}
    ),
    "input named with a hyphen": changed(inputs={"my-x": 1}),
    "input named with a digit first": changed(inputs={"1x": 1}),
    "output named with a hyphen": changed(outputs={"my-y": {"type": "uri_file"}}),
    "input without path": with_input({"type": "uri_file"}),
    "input empty": with_input({}),
    "inputs null": changed(inputs=None),
    "output empty": with_output({}),
    "output mount": with_output({"type": "uri_folder", "mode": "RW_Mount"}),
    "output read": with_output({"type": "uri_folder", "mode": "ro_mount"}),
    "output version fraction": with_output({"type": "mlflow_model", "name": "m", "version": 1.5}),
    "output text": with_output("x"),
    "output described": with_output({"description": "x"}),
    "code null": changed(code=None),
}


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


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.filterwarnings("ignore")
def test_accepts_and_refuses_what_the_sdk_does(name: str, tmp_path: Path) -> None:
    try:
        check_schema(JOBS[name], "job.yaml")
        refused = ""
    except JobError as error:
        refused = str(error)
    (tmp_path / "D").write_text("FROM x", encoding="utf-8")
    assert bool(refused) == refused_by_the_sdk(JOBS[name], tmp_path), refused


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
    try:
        raise_findings("job.yaml", reference_findings({"command": command, "inputs": inputs}))
        assert accepted
    except JobError:
        assert not accepted


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
    job = changed(
        name="a",
        compute="cpu",
        resources={"instance_count": 2, "locations": ["eastus"]},
        inputs={
            "epochs": 5,
            "verbose": True,
            "data": {"type": "uri_file", "path": "https://x/old.csv"},
        },
        outputs={"model": {"type": "uri_folder"}},
    )
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(job), encoding="utf-8")
    key, _, value = setting.partition("=")
    theirs: Any = load_job(file, params_override=[{key: value}])
    file.write_text(yaml.safe_dump(apply_overrides(job, [setting], "job.yaml")), encoding="utf-8")
    ours: Any = load_job(file)
    sent = theirs._to_job()._to_rest_object().as_dict()
    assert ours._to_job()._to_rest_object().as_dict() == sent

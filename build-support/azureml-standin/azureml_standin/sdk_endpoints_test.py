"""Test azure-ai-ml against the stand-in: models, online endpoints, and schedules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_job
from azure.ai.ml.entities import (
    CronTrigger,
    JobSchedule,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)
from azure.core.exceptions import HttpResponseError
from azureml_standin.conftest import wait_for_end
from azureml_standin.service import Service

READS_MODEL = """\
command: cat ${{inputs.model}}/model.txt
inputs:
  model: {type: custom_model, path: azureml:net@latest}
environment: {image: python}
compute: azureml:cpu-cluster
"""
PIPELINE = """\
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
jobs:
  one: {type: command, command: echo nightly, environment: {image: python}}
"""


def test_keeps_a_model_of_a_job_for_later_jobs(
    service: Service, sdk: Any, job_folder: Path
) -> None:
    job: Any = load_job(job_folder / "job.yaml")
    job.name = "trains"
    sdk.jobs.create_or_update(job)
    assert wait_for_end(service, "trains") == "Completed"
    path = "azureml://jobs/trains/outputs/artifacts/paths/outputs"
    assert sdk.models.create_or_update(Model(name="net", path=path)).version == "1"
    sdk.models.create_or_update(Model(name="net", version="1", path=path))
    sdk.models.download("net", "1", download_path=job_folder / "got")
    assert (job_folder / "got/net/outputs/model.txt").read_text() == "model"
    (job_folder / "job.yaml").write_text(READS_MODEL, encoding="utf-8")
    job = load_job(job_folder / "job.yaml")
    job.name = "reads"
    sdk.jobs.create_or_update(job)
    assert wait_for_end(service, "reads") == "Completed"


def test_an_endpoint_answers_by_its_traffic(sdk: Any, job_folder: Path) -> None:
    model = Model(name="served", version="1", path=job_folder / "code")
    sdk.models.create_or_update(model)
    endpoint = ManagedOnlineEndpoint(name="answers", auth_mode="key")
    sdk.online_endpoints.begin_create_or_update(endpoint).result()
    for name in ("blue", "green"):
        deployment = ManagedOnlineDeployment(
            name=name, endpoint_name="answers", model="azureml:served:1", instance_count=1
        )
        sdk.online_deployments.begin_create_or_update(deployment).result()
    endpoint.traffic = {"blue": 100}
    sdk.online_endpoints.begin_create_or_update(endpoint).result()
    request = job_folder / "request.json"
    request.write_text('{"x": 1}', encoding="utf-8")
    given: dict[str, str]
    for given, expected in (({}, "blue"), ({"deployment_name": "green"}, "green")):
        answer = json.loads(sdk.online_endpoints.invoke("answers", request_file=request, **given))
        assert answer == {"deployment": expected, "request": {"x": 1}}
    with pytest.raises(HttpResponseError, match="blue still has traffic"):
        sdk.online_deployments.begin_delete("blue", "answers").result()
    sdk.online_endpoints.begin_delete("answers").result()
    assert [each.name for each in sdk.online_endpoints.list()] == []


def test_keeps_the_schedule_of_a_pipeline(service: Service, sdk: Any, job_folder: Path) -> None:
    (job_folder / "job.yaml").write_text(PIPELINE, encoding="utf-8")
    trigger = CronTrigger(expression="0 1 * * *")
    schedule = JobSchedule(
        name="nightly", trigger=trigger, create_job=load_job(job_folder / "job.yaml")
    )
    assert sdk.schedules.begin_create_or_update(schedule).result().is_enabled
    (put,) = service.recording.find("PUT", "/schedules/nightly")
    sent = put.content["properties"]
    assert sent["trigger"]["expression"] == "0 1 * * *"
    assert sent["action"]["jobDefinition"]["jobs"]["one"]["componentId"]
    assert not sdk.schedules.begin_disable("nightly").result().is_enabled
    sdk.schedules.begin_delete("nightly").result()
    assert list(sdk.schedules.list()) == []

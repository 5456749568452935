"""Every kind of file is made by azure-ai-ml, which finds what this tool has sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from azureml_jobs.azure.conftest import JOB, SWEEP_HEAD, Client, faults
from azureml_jobs.azure.faults_test import FAULTS
from azureml_jobs.bundle.sdk_test import JOBS, gather
from azureml_jobs.conftest import Gathered

# The scheduled job is a pipeline with steps of every kind.
KINDS = (
    *(
        "a sweep job",
        "an automl job of text",
        "a finetuning job",
        "a spark job",
        "a schedule with changes",
    ),
    *("a command component", "a parallel component", "a pipeline component"),
)
STEPS = """\
type: pipeline
experiment_name: exp
inputs: {raw: {type: uri_folder, path: data}}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  prepare:
    type: command
    command: python prepare.py ${{inputs.raw}} ${{outputs.table}}
    code: src
    environment: {build: {path: docker}}
    inputs: {raw: "${{parent.inputs.raw}}"}
    outputs: {table: {type: uri_folder}}
  train:
    type: command
    component: ./train.yml
    inputs: {table: "${{parent.jobs.prepare.outputs.table}}"}
"""
TRAIN = """\
name: train
type: command
command: python train.py ${{inputs.table}}
code: src
environment: {build: {path: docker}}
inputs: {table: {type: uri_folder}}
"""
SWEEP = SWEEP_HEAD + """\
  command: python train.py ${{search_space.rate}}
  code: src
  environment: {build: {path: docker}}
"""
SHARED = "src/exp/src/tools.py"


def gather_steps(gathered: Gathered) -> None:
    gathered.files.clear()
    gathered.write("src/exp/train.yml", TRAIN)
    gathered.add("src/exp/src/prepare.py", "import tools\n", units=("prepare",))
    gathered.add("src/exp/src/train.py", "import tools\n", units=("train", "", "trial"))
    gathered.add(SHARED, "A = 1\n")


@pytest.fixture
def pipeline(client: Client) -> Client:
    gather_steps(client.gathered)
    return client


def put_what_jobs_name(client: Client) -> None:
    workspace = client.connect()
    address = "azureml://datastores/workspaceblobstore/paths/x/"
    data = {"properties": {"dataType": "uri_folder", "dataUri": address}}
    workspace.put("data", "d", "versions", "1", body=data)
    workspace.put("environments", "e", "versions", "1", body={"properties": {"image": "x"}})
    environment = workspace.asset_id("environments", "e", "versions", "1")
    component = {
        **{"name": "other", "version": "1", "type": "command", "command": "ls"},
        **{"environment": f"azureml:{environment}", "inputs": {"data": {"type": "uri_folder"}}},
    }
    body = {"properties": {"componentSpec": component}}
    workspace.put("components", "other", "versions", "1", body=body)


@pytest.mark.parametrize("kind", KINDS)
def test_azure_ai_ml_uploads_nothing(client: Client, kind: str) -> None:
    put_what_jobs_name(client)
    client.service.recording.clear()
    job = re.sub(r"azureml:c\b", "azureml:cpu-cluster", JOBS[kind])
    gather(client.gathered, job)
    assert client.submit(job) == 0, client.printed().err
    by_azure_ai_ml = [
        (each.method, each.kind, each.path.split("standin-workspace")[-1].split("/")[1:2])
        for each in client.requests()
        if "azure-ai-ml/" in each.headers["user-agent"]
    ]
    made = {"job": "jobs", "component": "components", "schedule": "schedules"}
    collection = next(each for word, each in made.items() if f" {word}" in kind)
    assert ("PUT", "arm", [collection]) in by_azure_ai_ml
    for method, service, below in by_azure_ai_ml:
        assert service == "arm" and method in ("GET", "PUT")
        # Conda packages are part of an environment's definition.
        assert below in ([], *([each] for each in ("environments", *made.values())))


def component_ids(client: Client) -> list[dict[str, str]]:
    return [
        {name: step["componentId"] for name, step in job["properties"]["jobs"].items()}
        for job in client.jobs()
    ]


def test_an_edit_of_one_step_leaves_the_components_of_the_others(pipeline: Client) -> None:
    assert [pipeline.submit(STEPS) for _ in range(2)] == [0, 0]
    pipeline.gathered.write("src/exp/src/train.py", "import tools  # edited\n")
    assert pipeline.submit(STEPS) == 0
    first, second, edited = component_ids(pipeline)
    assert second == first and first["prepare"] != first["train"]
    assert edited["prepare"] == first["prepare"] and edited["train"] != first["train"]


def test_steps_are_sent_with_what_they_name(pipeline: Client) -> None:
    assert pipeline.submit(STEPS) == 0
    (job,) = pipeline.jobs()
    sent: dict[str, Any] = {}
    for name, step in job["properties"]["jobs"].items():
        version = step["componentId"].rpartition("/")[2]
        spec = pipeline.asset("components", "azureml_anonymous", version)["componentSpec"]
        sent[name] = pipeline.snapshot({"properties": {"codeId": spec["code"]}})
        assert "/environments/env-" in spec["environment"]
    assert sent == {
        name: {f"{name}.py": b"import tools\n", "tools.py": b"A = 1\n"}
        for name in ("prepare", "train")
    }
    raw = job["properties"]["inputs"]["raw"]
    assert raw["uri"].startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    # One environment, although two steps define it.
    assert len(pipeline.requests("PUT", "/environments/")) == 1


@pytest.mark.parametrize("fault", ["answer lost", "500", "expired token"])
@pytest.mark.parametrize(
    ("job", "path"),
    [(STEPS, "/components/azureml_anonymous/"), (STEPS, "/jobs/"), (SWEEP, "/jobs/")],
    ids=["a component", "a pipeline", "a sweep"],
)
def test_a_passing_fault_leaves_one_job(pipeline: Client, job: str, path: str, fault: str) -> None:
    kind, settings = FAULTS[fault]
    rule = pipeline.add_fault(kind, "PUT", path, **settings)
    assert pipeline.submit(job) == 0
    assert rule.hits == 1 and len(pipeline.jobs()) == 1


@pytest.mark.parametrize("job", [JOB, STEPS], ids=["a command", "a pipeline"])
def test_a_job_whose_answer_was_always_lost_is_found_by_the_next_run(
    client: Client, job: str
) -> None:
    if job == STEPS:
        gather_steps(client.gathered)
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    client.add_fault(faults.RESET_AFTER, "PUT", "/jobs/", times=None)
    assert client.submit(job) == 1
    client.service.faults.clear()
    client.set(AZUREML_JOBS_PATIENCE="5")
    assert client.submit(job) == 0
    assert "The workspace has it already, from an earlier attempt" in client.printed().out
    assert len(client.jobs()) == 1


def test_a_component_gets_a_new_version_when_it_changes(pipeline: Client) -> None:
    def register(component: str = TRAIN) -> tuple[int, str]:
        status = pipeline.submit(component)
        out, err = pipeline.printed()
        return status, out.split(" registered in ")[0] + err

    assert [register() for _ in range(2)] == [(0, "azureml:train:1")] * 2
    pipeline.gathered.write(SHARED, "A = 2\n")
    assert register() == (0, "azureml:train:2")
    status, message = register(TRAIN + "version: 1\n")
    assert status == 2
    assert "azureml:train:1: standin-workspace has another component of this version" in message


def test_what_azure_ai_ml_refuses_names_the_key(pipeline: Client) -> None:
    no_compute = STEPS.replace("settings: {default_compute: azureml:cpu-cluster}\n", "")
    assert pipeline.submit(no_compute) == 2
    err = pipeline.printed().err
    assert "azure-ai-ml refuses the pipeline job: jobs.prepare.compute: Compute not set" in err

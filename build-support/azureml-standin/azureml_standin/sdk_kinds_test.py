"""Test azure-ai-ml against the stand-in: every kind of job, components, pipelines and sweeps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_component, load_job
from azureml_standin.conftest import wait_for_end
from azureml_standin.service import Service

COMPUTE = "compute: azureml:cpu-cluster"
SCORE = """\
name: score
version: 3
type: command
inputs:
  data: {type: uri_folder}
  weight: {type: number, default: 0.5}
  note: {type: string, optional: true}
outputs:
  scores: {type: uri_folder}
command: >-
  sed "s/^/${{inputs.weight}} /" ${{inputs.data}}/a.csv > ${{outputs.scores}}/a.csv
  $[[; echo ${{inputs.note}}]]
environment: {image: python}
"""
INNER = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json
type: pipeline
inputs:
  data: {type: uri_folder}
outputs:
  result: {type: uri_folder}
jobs:
  score:
    type: command
    component: ./score.yaml
    inputs: {data: '${{parent.inputs.data}}', weight: 7}
    outputs: {scores: '${{parent.outputs.result}}'}
"""
PIPELINE = """\
type: pipeline
inputs:
  data: {type: uri_folder, path: table}
  tag: first
outputs:
  result: {type: uri_folder}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  score:
    type: command
    component: ./score.yaml
    inputs: {data: '${{parent.inputs.data}}', note: '${{parent.inputs.tag}}'}
  again:
    type: pipeline
    component: ./inner.yaml
    inputs: {data: '${{parent.jobs.score.outputs.scores}}'}
    outputs: {result: '${{parent.outputs.result}}'}
  broken:
    type: command
    command: cat ${{inputs.data}}/a.csv; exit 3
    environment: {image: python}
    inputs: {data: '${{parent.jobs.again.outputs.result}}'}
    outputs: {out: {type: uri_folder}}
  after_broken:
    type: command
    command: cat ${{inputs.data}}
    environment: {image: python}
    inputs: {data: '${{parent.jobs.broken.outputs.out}}'}
"""
# The runner has made the run of MLflow; a trial writes into it as MLflow would.
SWEEP = """\
type: sweep
sampling_algorithm: {type: random, seed: 1, rule: sobol}
search_space:
  lr: {type: uniform, min_value: 0.1, max_value: 1}
  depth: {type: choice, values: [2, 4]}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 3, max_concurrent_trials: 1, timeout: 3600, trial_timeout: 60}
early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 1}
outputs:
  model: {type: uri_folder}
trial:
  command: >-
    run=$(echo ${MLFLOW_TRACKING_URI#file://}/*/$MLFLOW_RUN_ID);
    echo "1 ${{search_space.lr}} 0" > $run/metrics/loss;
    echo ${{search_space.depth}} > ${{outputs.model}}/depth
  environment: {image: python}
compute: azureml:cpu-cluster
"""
TASK = "task: {type: run_function, code: code, entry_script: main.py, environment: {image: p}}"
PARALLEL = f"""\
type: pipeline
jobs:
  many:
    type: parallel
    compute: azureml:cpu-cluster
    inputs: {{data: {{type: mltable, path: table, mode: eval_mount}}}}
    input_data: ${{{{inputs.data}}}}
    mini_batch_size: "1"
    {TASK}
"""
SPARK = """\
type: spark
code: code
entry: {file: main.py}
conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 2
  spark.executor.memory: 2g
  spark.executor.instances: 2
resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
"""
AUTOML = f"""\
type: automl
task: regression
primary_metric: r2_score
target_column_name: y
training_data: {{path: table, type: mltable}}
{COMPUTE}
"""
FINE_TUNING = """\
type: finetuning
task: chat_completion
model_provider: custom
model: {path: azureml://registries/azureml-meta/models/Llama/versions/9, type: mlflow_model}
training_data: {type: uri_file, path: table/a.csv}
outputs: {registered_model: {type: mlflow_model, name: tuned}}
"""


@pytest.fixture
def submit(
    sdk: Any, job_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], Any]:
    """Return a function that submits the text of a job file under a name."""
    (job_folder / "table").mkdir()
    for name, text in (("a.csv", "x,y\n"), ("MLTable", "paths: [{file: ./a.csv}]\n")):
        (job_folder / "table" / name).write_text(text, encoding="utf-8")
    for name, text in (("score", SCORE), ("inner", INNER)):
        (job_folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    # azure-ai-ml looks for the data of AutoML and of fine-tuning there.
    monkeypatch.chdir(job_folder)

    def submit(name: str, text: str) -> Any:
        (job_folder / "job.yaml").write_text(text, encoding="utf-8")
        job: Any = load_job(job_folder / "job.yaml")
        job.name = name
        return sdk.jobs.create_or_update(job)

    return submit


def sent(service: Service, path: str) -> list[Any]:
    """Return the properties that were put, with short ids of assets and without hashes."""
    bodies = [each.content["properties"] for each in service.recording.find("PUT", path, "arm")]
    text = re.sub(r"/subscriptions/[^\"]*?/workspaces/[^/]+/", "", json.dumps(bodies))
    return json.loads(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}", "*", text))


def log_of(service: Service, job: str) -> str:
    blob = service.blobs.blob("azureml", f"ExperimentRun/dcid.{job}/user_logs/std_log.txt")
    return blob.file.read_text() if blob else ""


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "Spark": (
        SPARK,
        {
            "codeId": "codes/*/versions/1",
            "entry": {"file": "main.py", "sparkJobEntryType": "SparkJobPythonEntry"},
            "resources": {"instanceType": "standard_e4s_v3", "runtimeVersion": "3.4"},
        },
    ),
    "AutoML": (AUTOML, {"computeId": "computes/cpu-cluster"}),
    "FineTuning": (
        FINE_TUNING,
        {"outputs": {"registered_model": {"assetName": "tuned", "jobOutputType": "mlflow_model"}}},
    ),
    "Pipeline": (PARALLEL, {"settings": {"_source": "YAML.JOB"}}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_takes_kinds_that_it_does_not_run(
    service: Service, submit: Callable[[str, str], Any], sdk: Any, kind: str
) -> None:
    text, expected = KINDS[kind]
    name = kind.lower()
    submit(name, text)
    (body,) = sent(service, f"/jobs/{name}")
    assert body["jobType"] == kind
    assert {key: body[key] for key in expected} == expected
    assert wait_for_end(service, name) == "Failed"
    assert "the stand-in does not run" in (service.execution.view(name).error or "")
    assert sdk.jobs.get(name).status == "Failed"


def test_runs_a_pipeline_up_to_its_broken_step(
    service: Service, submit: Callable[[str, str], Any], sdk: Any, tmp_path: Path
) -> None:
    submit("tree", PIPELINE)
    assert wait_for_end(service, "tree") == "Failed"
    children = list(sdk.jobs.list(parent_job_name="tree"))
    assert [(each.display_name, each.status) for each in children] == [
        ("score", "Completed"),
        ("again", "Completed"),
        ("broken", "Failed"),
    ]
    error = service.execution.view("tree").error or ""
    assert "after_broken needs broken" in error
    assert [log_of(service, children[number].name) for number in (0, 2)] == [
        "first\n",
        "7 0.5 x,y\n",
    ]
    (inner,) = sdk.jobs.list(parent_job_name=children[1].name)
    run = service.history.run(inner.name)
    assert (run["parentRunId"], run["rootRunId"]) == (children[1].name, "tree")
    sdk.jobs.download("tree", download_path=tmp_path / "got", output_name="result")
    assert (tmp_path / "got/named-outputs/result/a.csv").read_text() == "7 0.5 x,y\n"
    assert [each.name for each in sdk.jobs.list()].count(inner.name) == 0


def test_a_failed_step_ends_a_pipeline_that_does_not_continue(
    service: Service, submit: Callable[[str, str], Any], sdk: Any
) -> None:
    step = "{type: command, command: exit 1, environment: {image: p}, compute: azureml:cpu-cluster}"
    settings = "settings: {continue_on_step_failure: false}"
    submit("stops", f"type: pipeline\n{settings}\njobs:\n  a: {step}\n  b: {step}\n")
    assert wait_for_end(service, "stops") == "Failed"
    assert [each.display_name for each in sdk.jobs.list(parent_job_name="stops")] == ["a"]


def test_runs_the_trials_of_a_sweep_and_names_the_best(
    service: Service, submit: Callable[[str, str], Any], sdk: Any, tmp_path: Path
) -> None:
    submit("search", SWEEP)
    (body,) = sent(service, "/jobs/search")
    assert body["searchSpace"] == {"lr": ["uniform", [0.1, 1]], "depth": ["choice", [[2, 4]]]}
    assert body["earlyTermination"]["policyType"] == "Bandit"
    assert wait_for_end(service, "search") == "Completed"
    trials = [sdk.jobs.get(f"search_{number}") for number in range(3)]
    tried = [json.loads(trial.tags["hyperparameters"]) for trial in trials]
    best = min(range(3), key=lambda number: tried[number]["lr"])
    assert sdk.jobs.get("search").properties["best_child_run_id"] == f"search_{best}"
    sdk.jobs.download("search", download_path=tmp_path / "got", output_name="model")
    depth = (tmp_path / "got/named-outputs/model/depth").read_text()
    assert depth == f"{tried[best]['depth']}\n"


def test_canceling_a_pipeline_cancels_its_steps(
    service: Service, submit: Callable[[str, str], Any], sdk: Any, job_folder: Path
) -> None:
    mark = job_folder / "mark"
    step = f"{{type: command, command: touch {mark}; sleep 100, environment: {{image: p}}}}"
    (job_folder / "long.yaml").write_text(f"{{type: pipeline, jobs: {{deep: {step}}}}}")
    steps = "jobs: {outer: {type: pipeline, component: ./long.yaml}}"
    submit("ends", f"type: pipeline\nsettings: {{default_{COMPUTE}}}\n{steps}\n")
    while not mark.exists():
        assert not service.execution.view("ends").has_ended
    sdk.jobs.begin_cancel("ends").result()
    (outer,) = sdk.jobs.list(parent_job_name="ends")
    (deep,) = sdk.jobs.list(parent_job_name=outer.name)
    states = [service.execution.view(name).status for name in ("ends", outer.name, deep.name)]
    assert states == ["Canceled"] * 3


def test_registers_a_component_that_a_pipeline_names(
    service: Service, submit: Callable[[str, str], Any], sdk: Any, job_folder: Path
) -> None:
    sdk.components.create_or_update(load_component(job_folder / "score.yaml"))
    (body,) = sent(service, "/components/score/versions/3")
    assert body["componentSpec"]["inputs"]["weight"] == {"type": "number", "default": "0.5"}
    assert sdk.components.get("score", label="latest").version == "3"
    data = "{data: {type: uri_folder, path: table}}"
    step = f"{{type: command, component: 'azureml:score@latest', inputs: {data}}}"
    settings = f"settings: {{default_{COMPUTE}}}"
    submit("named", f"type: pipeline\n{settings}\njobs: {{one: {step}}}\n")
    (body,) = sent(service, "/jobs/named")
    assert body["jobs"]["one"]["componentId"] == "components/score/versions/3"
    assert wait_for_end(service, "named") == "Completed"

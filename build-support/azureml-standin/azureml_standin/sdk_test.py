"""Test azure-ai-ml against the stand-in: its own ways to stream and download, data, and trees.

The tests of the job tool submit all kinds of jobs by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, load_job
from azure.ai.ml.entities import Data, Environment, Model
from azure.identity import EnvironmentCredential
from azureml_jobs.local.folder import files_below
from azureml_standin.conftest import MAIN, wait_for_end
from azureml_standin.control_plane.resources import PLACE
from azureml_standin.service import Service

JOB = """\
command: >-
  echo started; python main.py ${{inputs.epochs}} ${{outputs.result}}
code: code
inputs:
  epochs: 3
outputs:
  result: {type: uri_folder}
environment:
  build: {path: environment}
compute: azureml:cpu-cluster
experiment_name: exp
"""
READS = """\
command: cat ${{inputs.folder}}/a.csv ${{inputs.file}} ${{inputs.net}} > outputs/all
inputs:
  folder: {type: uri_folder, path: 'azureml:table:1'}
  file: {type: uri_file, path: table/a.csv}
  net: {type: custom_model, path: 'azureml:net@latest'}
environment: azureml:env:1
compute: azureml:cpu-cluster
"""
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
    outputs: {scores: {type: uri_folder, name: weighed, version: "7"}}
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
Submit = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def sdk(running: Service) -> Iterator[Any]:
    """Return the SDK's client. It keeps some of the variables by which it finds the service."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.client.direct().items():
            patch.setenv(name, value)
        yield MLClient(
            EnvironmentCredential(disable_instance_discovery=True),
            *PLACE.values(),
            show_progress=False,
        )


@pytest.fixture
def submit(service: Service, sdk: Any, tmp_path: Path) -> Submit:
    """Return a function that submits the text of a job file under a name."""
    for name, text in {
        "code/main.py": MAIN,
        "code/sub/a b.txt": "ä",
        "environment/Dockerfile": "FROM python:3.11\n",
        "table/a.csv": "x,y\n",
        "score.yaml": SCORE,
        "inner.yaml": INNER,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    def submit(name: str, text: str) -> Any:
        (tmp_path / "job.yaml").write_text(text, encoding="utf-8")
        job: Any = load_job(tmp_path / "job.yaml")
        job.name = name
        return sdk.jobs.create_or_update(job)

    return submit


def test_submits_streams_and_downloads_a_job(
    service: Service, submit: Submit, sdk: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit("whole", JOB).studio_url.startswith(f"{service.url}/runs/whole?wsid=/subscr")
    sdk.jobs.stream("whole")
    assert "started\nepochs 3 ä\n" in capsys.readouterr().out
    shown = sdk.jobs.get("whole")
    assert (shown.status, shown.experiment_name) == ("Completed", "exp")
    sdk.jobs.download("whole", download_path=tmp_path / "got", all=True)
    got = {path: file.read_text("utf-8") for path, file in files_below(tmp_path / "got")}
    assert got == {
        "artifacts/user_logs/std_log.txt": "started\nepochs 3 ä\n",
        "artifacts/outputs/model.txt": "model",
        "named-outputs/result/result.txt": "result",
    }


def test_a_job_reads_registered_data(
    service: Service, submit: Submit, sdk: Any, tmp_path: Path
) -> None:
    table, model = str(tmp_path / "table"), tmp_path / "table/a.csv"
    sdk.data.create_or_update(Data(name="table", version="1", type="uri_folder", path=table))
    sdk.models.create_or_update(Model(name="net", version="1", path=model))
    sdk.environments.create_or_update(Environment(name="env", version="1", image="python"))
    submit("reads", READS)
    assert wait_for_end(service, "reads") == "Completed"
    blob = service.blobs.blob("azureml", "ExperimentRun/dcid.reads/outputs/all")
    assert blob is not None and blob.file.read_text() == "x,y\n" * 3


def test_runs_a_pipeline_up_to_its_broken_step(
    service: Service, submit: Submit, sdk: Any, tmp_path: Path
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
    logs = [service.execution.folder(children[number].name).log for number in (0, 2)]
    assert [log.read_text() for log in logs] == ["first\n", "7 0.5 x,y\n"]
    (inner,) = sdk.jobs.list(parent_job_name=children[1].name)
    run = service.history.run(inner.name)
    assert (run["parentRunId"], run["rootRunId"]) == (children[1].name, "tree")
    sdk.jobs.download("tree", download_path=tmp_path / "got", output_name="result")
    assert (tmp_path / "got/named-outputs/result/a.csv").read_text() == "7 0.5 x,y\n"
    assert [each.name for each in sdk.jobs.list()].count(inner.name) == 0
    path = sdk.data.get("weighed", version="7").path
    assert path.endswith(f"/datastores/workspaceblobstore/paths/azureml/{children[0].name}/scores/")


def test_a_failed_step_ends_a_pipeline_that_does_not_continue(
    service: Service, submit: Submit, sdk: Any
) -> None:
    step = "{type: command, command: exit 1, environment: {image: p}, compute: azureml:cpu-cluster}"
    settings = "settings: {continue_on_step_failure: false}"
    submit("stops", f"type: pipeline\n{settings}\njobs:\n  a: {step}\n  b: {step}\n")
    assert wait_for_end(service, "stops") == "Failed"
    assert [each.display_name for each in sdk.jobs.list(parent_job_name="stops")] == ["a"]


def test_runs_the_trials_of_a_sweep_and_names_the_best(
    service: Service, submit: Submit, sdk: Any, tmp_path: Path
) -> None:
    submit("search", SWEEP)
    assert wait_for_end(service, "search") == "Completed"
    trials = [sdk.jobs.get(f"search_{number}") for number in range(3)]
    tried = [json.loads(trial.tags["hyperparameters"]) for trial in trials]
    best = min(range(3), key=lambda number: tried[number]["lr"])
    assert sdk.jobs.get("search").properties["best_child_run_id"] == f"search_{best}"
    sdk.jobs.download("search", download_path=tmp_path / "got", output_name="model")
    depth = (tmp_path / "got/named-outputs/model/depth").read_text()
    assert depth == f"{tried[best]['depth']}\n"

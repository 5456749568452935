"""Test azure-ai-ml against the stand-in: pipelines and sweeps, and their children."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azureml_standin.conftest import COMPUTE, Submit, sent, wait_for_end
from azureml_standin.service import Service

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


def log_of(service: Service, job: str) -> str:
    blob = service.blobs.blob("azureml", f"ExperimentRun/dcid.{job}/user_logs/std_log.txt")
    return blob.file.read_text() if blob else ""


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


def test_a_step_that_has_run_before_is_reused(
    service: Service, submit: Submit, sdk: Any, tmp_path: Path
) -> None:
    step = "{type: command, command: 'echo WORD > ${{outputs.out}}/text',"
    step += " environment: {image: p}, outputs: {out: {type: uri_folder}}}"

    def run(name: str, second: str, more: str = "") -> list[Any]:
        steps = f"a: {step}, b: {step.replace('WORD', second)}".replace("WORD", "a")
        submit(
            name, f"{{type: pipeline, settings: {{default_{COMPUTE}{more}}}, jobs: {{{steps}}}}}"
        )
        assert wait_for_end(service, name) == "Completed"
        return list(sdk.jobs.list(parent_job_name=name))

    kept, _ = run("before", "b")
    reused, changed = run("after", "c")
    assert reused.properties["azureml.reusedrunid"] == kept.name
    assert "azureml.isreused" not in changed.properties
    sdk.jobs.download(reused.name, download_path=tmp_path / "got", output_name="out")
    assert (tmp_path / "got/named-outputs/out/text").read_text() == "a\n"
    forced = run("forced", "b", ", force_rerun: true")
    assert ["azureml.isreused" in each.properties for each in forced] == [False, False]


def test_runs_the_trials_of_a_sweep_and_names_the_best(
    service: Service, submit: Submit, sdk: Any, tmp_path: Path
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
    service: Service, submit: Submit, sdk: Any, job_folder: Path
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

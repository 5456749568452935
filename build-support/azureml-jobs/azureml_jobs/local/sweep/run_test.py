"""Whole sweeps, in real processes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import Gathered
from azureml_jobs.local.conftest import create, running
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.local_jobs import LocalJobs
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import descendants
from azureml_jobs.protocol import PackagesVenv

SWEEP = """\
type: sweep
trial:
  code: .
  command: bash trial.sh ${{search_space.rate}} ${{search_space.kind}} ${{outputs.model}}
  environment: azureml:env:1
outputs: {model: {type: uri_folder}}
sampling_algorithm: grid
search_space:
  rate: {type: choice, values: [0.9, 0.8, 0.1, 0.2]}
  kind: {type: choice, values: [a, b, c]}
objective: {goal: maximize, primary_metric: accuracy}
early_termination: {type: bandit, slack_amount: 0.2, evaluation_interval: 1, delay_evaluation: 2}
limits: {max_total_trials: 12, max_concurrent_trials: 3}
"""
# Logs with MLflow's format. The poor half takes a minute each.
TRIAL = """
set -e
[ "$AZUREML_SWEEP_kind" = $2 ]
metric=$(echo ../../../mlruns/*/$AZUREML_RUN_ID)/metrics/accuracy
for step in 1 2 3; do echo "$step $1 $step" >> $metric; done
printf "kind $2" > $(dirname $metric)/../params/kind
case $1 in 0.1|0.2) sleep 60; esac
echo $2 > $3/model.txt
"""


@pytest.fixture
def code(gathered: Gathered) -> Gathered:
    gathered.venv = PackagesVenv(sys.prefix, "seed")
    gathered.add("src/exp/trial.sh", TRIAL)
    return gathered


def created(gathered: Gathered, job: str, seed: int | None = None) -> JobFolder:
    return create(gathered, job, jobs_at_once=3, seed=seed)


def trials_of(folder: JobFolder) -> list[JobRecord]:
    return list(descendants(folder).values())


def test_twelve_trials_of_which_the_poor_end_early(code: Gathered, jobs: Any) -> None:
    folder = created(code, SWEEP)
    status, out, err = jobs.run(folder)
    assert (status, err) == (0, b"")
    text, record, trials = out.decode(), folder.read(), trials_of(folder)
    best = trials[0]
    assert [trial.status for trial in trials] == ["Completed"] * 6 + ["Canceled"] * 6
    assert {trial.error for trial in trials[6:9]} == {
        "bandit: after 2 values its best, 0.1, is too far from 0.9"
    }
    assert (record.status, record.kind, record.best_trial) == ("Completed", "sweep", best.name)
    assert (best.name, best.parent, best.root) == (f"{folder.name}_0", folder.name, folder.name)
    assert best.parameters == {"rate": 0.9, "kind": "a"}
    # The outputs of a sweep are those of its best trial.
    assert Path(record.outputs["model"], "model.txt").read_text() == "a\n"
    run = MlflowStore(folder.mlruns).read_run(best.name)
    assert run.tags["mlflow.parentRunId"] == folder.name
    assert run.tags["hyperparameters"] == '{"rate": 0.9, "kind": "a"}'
    # What the code logged itself stays.
    assert run.params == {"rate": "0.9", "kind": "kind a"}
    assert f"{best.name} Running: rate=0.9 kind=a\n" in text
    assert ", accuracy 0.9, the best so far\n" in text
    assert text.count("the best so far") == 1
    assert f"The best trial is {best.name}, accuracy 0.9.\n" in text
    shown = LocalJobs(folder.root).describe(folder.name)["children"]
    assert [trial["metric"] for trial in shown] == [0.9] * 3 + [0.8] * 3 + [0.1] * 3 + [0.2] * 3
    # What it printed is its log, up to the line on its own end.
    assert text.startswith(folder.log.read_text())


def test_a_seed_samples_the_same_values_again(code: Gathered, jobs: Any) -> None:
    sweep = SWEEP.replace("sampling_algorithm: grid\n", "")
    sweep = sweep.replace(
        "choice, values: [0.9, 0.8, 0.1, 0.2]", "uniform, min_value: 1, max_value: 2"
    )
    folders = [created(code, sweep.replace(": 12", ": 1"), seed) for seed in (7, 7)]
    assert [jobs.run(folder)[0] for folder in folders] == [0, 0]
    first, again = ([each.parameters for each in trials_of(folder)] for folder in folders)
    assert first == again


def test_a_command_that_always_fails_is_not_tried_on_and_on(code: Gathered, jobs: Any) -> None:
    sweep = SWEEP.replace("max_concurrent_trials: 3", "max_concurrent_trials: 1")
    folder = created(code, sweep.replace("bash trial.sh", "echo broken; exit 3; bash trial.sh"))
    status, _, err = jobs.run(folder)
    assert status == 3
    assert len(trials_of(folder)) == 3
    record = folder.read()
    assert record.status == "Failed"
    assert record.error == (
        f"no trial completed; {folder.name}_0: the command ended with exit status 3"
    )
    assert f"----- end of the log of {folder.name}_0 ---" in err.decode()
    assert "broken" in err.decode()
    assert f"{folder.name} Failed after" in err.decode()


def test_warns_when_no_trial_logs_the_metric(code: Gathered, jobs: Any) -> None:
    sweep = SWEEP.replace("primary_metric: accuracy", "primary_metric: auc")
    sweep = sweep.replace("[0.9, 0.8, 0.1, 0.2]", "[0.9]").replace("[a, b, c]", "[a]")
    folder = created(code, sweep)
    status, _, err = jobs.run(folder)
    assert status == 0
    assert (
        "no trial is the best, because none logged `auc`; "
        f"{folder.name}_0 logged accuracy" in err.decode()
    )
    assert folder.read().best_trial == ""


@pytest.mark.parametrize(
    ("key", "error"), [("timeout", "the sweep timed out"), ("trial_timeout", "timed out")]
)
def test_the_time_of_the_sweep_and_of_its_trials_is_limited(
    code: Gathered, jobs: Any, key: str, error: str
) -> None:
    sweep = SWEEP.replace("[0.9, 0.8, 0.1, 0.2]", "[0.1]").replace("[a, b, c]", "[a]")
    folder = created(code, sweep.replace("limits: {", f"limits: {{{key}: 1, "))
    assert jobs.run(folder)[0] == 124
    (trial,) = trials_of(folder)
    assert (trial.status, trial.error) == ("Canceled", f"{error} after 1 s (`limits.timeout`)")
    assert str(folder.read().error).endswith("timed out after 1 s (`limits.timeout`)")


def test_a_signal_ends_the_sweep_and_all_trials(code: Gathered, jobs: Any) -> None:
    folder = created(code, SWEEP.replace("[0.9, 0.8, 0.1, 0.2]", "[0.1]"))
    process = jobs.start(folder)
    jobs.until(lambda: {each.status for each in trials_of(folder)} == {"Running"})
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert folder.read().status == "Canceled"
    for trial in trials_of(folder):
        assert (trial.status, trial.error) == ("Canceled", "the sweep was canceled")
        assert running(JobFolder(folder.path.parent / trial.name)) == []


PIPELINE = """\
type: pipeline
inputs: {total: 2}
jobs:
  search:
    type: sweep
    trial: ./trial.yaml
    sampling_algorithm: grid
    search_space: {rate: {type: choice, values: [0.8, 0.9]}}
    objective: {goal: maximize, primary_metric: accuracy}
    limits: {max_total_trials: "${{parent.inputs.total}}"}
    inputs: {kind: a}
  use:
    command: cat ${{inputs.model}}/model.txt > out.txt
    environment: azureml:env:1
    inputs: {model: {path: "${{parent.jobs.search.outputs.model}}"}}
"""
COMPONENT = """\
type: command
name: trial
inputs: {rate: {type: number}, kind: {type: string}}
outputs: {model: {type: uri_folder}}
code: .
command: >-
  bash trial.sh ${{inputs.rate}} ${{inputs.kind}} ${{outputs.model}} &&
  echo ${{inputs.rate}} > $AZUREML_SWEEP_model/model.txt
environment: azureml:env:1
"""


def test_a_sweep_in_a_pipeline_gives_the_next_step_its_best_output(
    code: Gathered, jobs: Any
) -> None:
    code.write("src/exp/trial.yaml", COMPONENT)
    folder = created(code, PIPELINE)
    status, _, err = jobs.run(folder)
    assert status == 0, err
    there = folder.path.parent
    search = JobFolder(there / f"{folder.name}_search").read()
    assert search.best_trial == f"{folder.name}_search_1"
    assert (search.parent, search.root) == (folder.name, folder.name)
    assert (there / f"{folder.name}_use/work/out.txt").read_text() == "0.9\n"
    for total, what in (("two", ".*'two'"), ("0", "`max_total_trials` is 0, not between 1 and")):
        with pytest.raises(JobError, match=f"jobs.search: a value .* is not valid: {what}"):
            created(code, PIPELINE.replace("total: 2", f"total: {total}"))

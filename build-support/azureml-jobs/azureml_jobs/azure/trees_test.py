"""Pipelines and sweeps with their steps and trials: list, show, follow, cancel, download."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.azure.conftest import SWEEP_HEAD, Client

STEP = """\
    type: command
    environment: azureml:curated:1
"""
PIPELINE = f"""\
type: pipeline
experiment_name: exp
settings: {{default_compute: azureml:cpu-cluster, continue_on_step_failure: true}}
outputs: {{table: {{type: uri_folder}}}}
jobs:
  prepare:
{STEP}
    command: printf 'one\\ntwo' && echo 1 > ${{{{outputs.table}}}}/a.csv
    outputs: {{table: "${{{{parent.outputs.table}}}}"}}
  train:
{STEP}
    command: cat ${{{{inputs.table}}}}/a.csv && exit 3
    inputs: {{table: "${{{{parent.jobs.prepare.outputs.table}}}}"}}
"""
SWEEP = SWEEP_HEAD + """\
  command: |
    echo rate ${{search_space.rate}}
    run=$(echo ${MLFLOW_TRACKING_URI#file://}/*/$MLFLOW_RUN_ID)
    echo "1700000000000 ${{search_space.rate}} 0" > $run/metrics/score
  environment: azureml:curated:1
"""


@pytest.fixture
def client(client_with_jobs: Client) -> Client:
    return client_with_jobs


def run_of(client: Client, job: str, name: str) -> Any:
    """Submit a job and follow it; return its status, and what was printed."""
    status = client.submit(job, f"name={name}", stream=True)
    return status, *client.printed()


def test_a_pipeline_is_followed_shown_and_downloaded(client: Client, tmp_path: Path) -> None:
    status, out, err = run_of(client, PIPELINE, "tree")
    assert status == 1
    assert out.endswith("\n[prepare] one\n[prepare] two\n[train] 1\n")
    steps = re.sub(r"(?m)^[\d:]{8} \w+\n", "", err)
    assert steps.startswith("[prepare] Completed\n[train] Failed: ")
    assert err.splitlines()[-1].startswith("tree Failed: ")
    job = client.show("tree")
    prepare, train = job["children"]
    assert (job["kind"], prepare["kind"]) == ("pipeline", "command")
    assert [(each["step"], each["status"], each["exit_code"]) for each in job["children"]] == [
        *(("prepare", "Completed", 0), ("train", "Failed", 3))
    ]
    assert prepare["parent"] == "tree" and prepare["duration"] > 0
    # A step has its own commands.
    assert client.show(prepare["name"])["experiment_name"] == "exp"
    assert client.run_aml("jobs", "stream", prepare["name"]) == 0
    assert client.printed().out == "one\ntwo"
    assert client.download("tree", tmp_path / "all") == 0
    files = {
        path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*.*")
    }
    assert files == {
        *("artifacts/logs/azureml/executionlogs.txt", "named-outputs/table/a.csv"),
        *("steps/prepare/artifacts/user_logs/std_log.txt",),
        *("steps/prepare/named-outputs/table/a.csv", "steps/train/artifacts/user_logs/std_log.txt"),
    }
    one = ("--output-name", "table")
    assert client.download(prepare["name"], tmp_path / "one", *one) == 0
    assert (tmp_path / "one/named-outputs/table/a.csv").read_text() == "1\n"


def test_a_reused_step_has_the_files_of_the_earlier_one(client: Client, tmp_path: Path) -> None:
    job = PIPELINE.replace("one", "once")
    run_of(client, job, "first")
    _, out, err = run_of(client, job, "second")
    earlier = client.show("first")["children"][0]["name"]
    prepare = client.show("second")["children"][0]
    assert prepare["reused"] == earlier
    assert f"[prepare] Completed, reused from {earlier}\n" in err and "[prepare] " not in out
    assert client.download("second", tmp_path / "all") == 0
    assert (tmp_path / "all/steps/prepare/artifacts/user_logs/std_log.txt").is_file()
    assert (tmp_path / "all/steps/prepare/named-outputs/table/a.csv").is_file()


def test_a_sweep_shows_its_trials(client: Client) -> None:
    status, out, _ = run_of(client, SWEEP, "tune")
    assert status == 0
    assert out.endswith("\n[0] rate 1\n[1] rate 2\n")
    job = client.show("tune")
    assert job["objective"] == {"goal": "maximize", "primary_metric": "score"}
    assert job["best_trial"] == "tune_1"
    assert [(each["step"], each["parameters"], each["metric"]) for each in job["children"]] == [
        *(("0", {"rate": 1}, 1.0), ("1", {"rate": 2}, 2.0))
    ]
    rows = {row["name"]: row for row in client.read_json("jobs", "list")}
    assert [each["name"] for each in rows["tune"]["children"]] == ["tune_0", "tune_1"]
    assert "tune_0" not in rows
    assert client.run_aml("jobs", "show", "tune") == 0
    assert "\ntune_1 *  Completed      2  2 " in client.printed().out
    assert client.run_aml("jobs", "show", "tune", "--step", "1") == 0
    assert client.printed().out.startswith("tune_1  Completed after ")


def test_cancel_ends_the_whole_tree(client: Client) -> None:
    job = PIPELINE.replace("printf", "echo begun && sleep 60 && printf")
    assert client.submit(job, "name=cancelled-tree") == 0
    client.printed()
    client.until(lambda: "Running" in str(client.show("cancelled-tree")["children"]))
    (prepare,) = client.show("cancelled-tree")["children"]
    assert client.run_aml("jobs", "cancel", prepare["name"]) == 2
    assert "Cancel that: `./pants run :aml -- jobs cancel cancelled-tree`." in client.printed().err
    assert client.run_aml("jobs", "cancel", "cancelled-tree") == 0
    assert client.printed().out == "cancelled-tree Canceled\n"
    (prepare,) = client.show("cancelled-tree")["children"]
    assert prepare["status"] == "Canceled"

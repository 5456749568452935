"""What `jobs list` and `jobs show` report in addition to the jobs themselves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from azureml_jobs.azure.conftest import Client
from azureml_jobs.azure.run_history import curves_of, runs_of

POINTS = 2500
FILES = 600
# MLflow's own way to write to a folder, without its import.
LOGGING = f"""\
run=$(echo ${{MLFLOW_TRACKING_URI#file://}}/*/$MLFLOW_RUN_ID)
for i in $(seq {POINTS}); do echo "$((1700000000000 + i)) $i $i"; done > $run/metrics/loss
printf '1700000000000 nan 0\\n' > "$run/metrics/a b"
printf 3 > $run/params/epochs
mkdir -p outputs/deep
for i in $(seq {FILES}); do : > outputs/deep/$i.txt; done
echo said"""


@pytest.fixture(scope="module")
def ended() -> list[str]:
    """Names of the jobs that ran already, which are the same for all tests of this file."""
    return []


@pytest.fixture
def client(client_with_jobs: Client, ended: list[str]) -> Client:
    if not ended:
        client_with_jobs.start("logging", LOGGING)
        client_with_jobs.start("failing", "exit 7")
        for name in ("logging", "failing"):
            client_with_jobs.wait_for_end(name)
            ended.append(name)
    client_with_jobs.service.recording.clear()
    return client_with_jobs


def listed(client: Client, *more: str) -> dict[str, Any]:
    return {row["name"]: row for row in client.read_json("jobs", "list", *more)}


def test_a_list_has_the_durations_by_one_request_for_all(client: Client) -> None:
    rows = listed(client)
    assert rows["logging"]["duration"] > 0 and rows["failing"]["duration"] > 0
    assert rows["logging"]["ended"] > rows["logging"]["started"]
    (asked,) = client.requests("", "/batchrundata")
    assert asked.method == "POST"
    wanted = asked.content["requests"]
    assert wanted["logging"] == {"runId": "logging", "selectRunMetadata": True}
    assert set(wanted) == set(rows)
    assert client.run_aml("jobs", "list") == 0
    lines = client.printed().out.splitlines()
    assert all(re.search(r"\d s$", line) for line in lines if line.startswith(("log", "fail")))


def test_only_what_is_listed_is_asked_for(client: Client) -> None:
    rows = listed(client, "--status", "Failed", "--max", "1")
    assert [(row["status"], row["exit_code"]) for row in rows.values()] == [("Failed", 7)]
    (asked,) = client.requests("POST", "/batchrundata")
    assert set(asked.content["requests"]) == set(rows)


def test_the_service_chooses_among_the_jobs_of_an_experiment(client: Client) -> None:
    rows = listed(client, "--experiment", "exp", "--status", "failed", "--max", "3")
    assert {row["status"] for row in rows.values()} == {"Failed"}
    assert rows["failing"]["exit_code"] == 7 and rows["failing"]["duration"] > 0
    assert rows["failing"]["experiment_name"] == "exp"
    (asked,) = client.requests("POST", "/experiments/exp/runs:query")
    assert asked.content == {
        "filter": "(ParentRunId eq null) and (Status eq Failed) and (Hidden eq false)",
        "orderBy": "CreatedUtc desc",
        "top": 3,
        "continuationToken": None,
    }
    assert client.requests("GET", "/jobs") == []
    assert client.run_aml("jobs", "list", "--experiment", "other") == 0
    assert client.printed().out == "The experiment other has no such job.\n"


def test_prints_the_end_of_a_log(client: Client) -> None:
    assert client.run_aml("jobs", "logs", "logging") == 0
    assert client.printed().out.endswith("said\n")
    assert client.run_aml("jobs", "logs", "logging", "--tail", "1") == 0
    assert client.printed().out == "said\n"


def test_a_job_without_a_run_does_not_hide_the_others(client: Client) -> None:
    runs = runs_of(client.connect(), ["waits", "logging"])
    assert set(runs) == {"logging"}
    (asked,) = client.requests("POST", "/batchrundata")
    assert asked.status == 207


@pytest.mark.parametrize("status", [403, 503], ids=["not permitted", "down"])
def test_a_list_needs_no_history(client: Client, status: int) -> None:
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    client.add_fault("status", "POST", "/batchrundata", times=None, status=status)
    assert client.run_aml("jobs", "list", "--json") == 0
    printed = client.printed()
    (row,) = [each for each in json.loads(printed.out) if each["name"] == "logging"]
    assert (row["status"], row["duration"]) == ("Completed", None)
    assert "warning: times are left out: POST 127.0.0.1" in printed.err
    assert str(status) in printed.err


def test_shows_artifacts_and_the_log_without_asking_the_storage(client: Client) -> None:
    job = client.show("logging")
    assert len(job["artifacts"]) == FILES + 1 and job["artifacts"] == sorted(job["artifacts"])
    assert {"outputs/deep/1.txt", "user_logs/std_log.txt"} <= set(job["artifacts"])
    assert job["log"] == (
        "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.logging/"
        "user_logs/std_log.txt"
    )
    assert len(client.requests("GET", "/experiments/exp/runs/logging/artifacts")) == 2
    assert client.requests(kind="blob") == []
    assert client.run_aml("jobs", "show", "logging") == 0
    text = client.printed().out
    assert "  outputs/deep/1.txt\n" in text and f"  log           {job['log']}\n" in text
    # The addresses that run history gives of logs are signed.
    assert "sig=" not in text + json.dumps(job)


def test_whole_curves_are_in_the_json(client: Client) -> None:
    job = client.show("logging")
    assert job["params"] == {"epochs": "3"}
    assert job["metrics"] == {"loss": POINTS, "a b": "NaN"}
    curve = job["metric_history"]["loss"]
    assert [point["value"] for point in curve] == list(range(1, POINTS + 1))
    assert curve[1] == {"step": 2, "timestamp": 1700000000002, "value": 2}
    assert [point["value"] for point in job["metric_history"]["a b"]] == ["NaN"]
    assert client.run_aml("jobs", "show", "logging") == 0
    text = client.printed().out
    assert f"  loss  {POINTS}  ▁" in text and "  epochs  3\n" in text


def test_reports_the_exit_status_of_a_failed_command(client: Client) -> None:
    assert client.run_aml("jobs", "show", "failing") == 0
    text = client.printed().out
    assert "\n  exit status 7\n" in text and "exited with status code 7" in text
    assert client.show("logging")["exit_code"] == 0


@pytest.mark.parametrize(
    ("path", "what", "empty"),
    [
        ("/details", "times", {"duration": None, "started": None}),
        ("/artifacts", "artifacts", {"artifacts": []}),
        ("/mlflow/", "parameters and metrics", {"params": {}, "metrics": {}}),
        ("/metrics/get-history", "curves of metrics", {"metric_history": {}}),
    ],
)
def test_shows_the_rest_when_a_part_is_missing(
    client: Client, path: str, what: str, empty: dict[str, Any]
) -> None:
    whole = client.show("logging")
    client.add_fault("status", "GET", path, times=None, status=403)
    assert client.run_aml("jobs", "show", "logging", "--json") == 0
    printed = client.printed()
    assert f"warning: {what} are left out: GET 127.0.0.1" in printed.err
    job = json.loads(printed.out)
    assert {key: job[key] for key in empty} == empty
    others = ("name", "status", "log", *({"artifacts", "params", "started"} - set(empty)))
    assert {key: job[key] for key in others} == {key: whole[key] for key in others}


def test_shows_a_job_when_nothing_else_answers(client: Client) -> None:
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    client.add_fault("reset-before", "", "/(discovery|history|mlflow)", times=None)
    assert client.run_aml("jobs", "show", "logging") == 0
    printed = client.printed()
    assert printed.out.startswith("logging  Completed, on cpu-cluster\n")
    assert printed.err.count("are left out") == 4


def test_a_workspace_without_mlflow_has_no_curves(client: Client) -> None:
    workspace = client.connect()
    workspace.details["properties"]["mlFlowTrackingUri"] = None
    assert curves_of(workspace, ["logging"], ["loss"]) == {"logging": {"loss": []}}

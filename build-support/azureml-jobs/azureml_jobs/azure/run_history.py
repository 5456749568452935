"""What run history and MLflow know about jobs: times, logs, artifacts; parameters and metrics.

It is shown in addition to the jobs themselves, and a permission or a service may be missing for it:
therefore each part fails alone, and soon, with `OutsideError`. Interfaces: azure-ai-ml's generated
client `runhistory`; https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from azureml_jobs.azure.answers import json_or_none
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.jobs import JobSelection
from azureml_jobs.base.parallel import Task, run_all
from azureml_jobs.base.progress import Progress

# Nobody waits longer for what is missing, while the rest could be shown.
_PATIENCE_SECONDS = 8.0
# One request for what a list shows by default.
_RUNS_AT_ONCE = 100
_CURVES_AT_ONCE = 8
_NO_SUCH_REQUEST = frozenset({400, 404, 405, 501})
# The logs of what a job prints; `system_logs` are the service's own.
PRINTED = re.compile(r"user_logs/.+\.txt|azureml-logs/\d{2}.+\.txt")
_MODEL_TYPES = ("CustomModel", "MLFlowModel", "TritonModel")
_EXIT_STATUS = re.compile(r"(?:exit(?:ed)?|status)(?: with)?(?: status| exit)? code:? (\d{1,3})\b")


def runs_of(workspace: ConnectedWorkspace, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the runs of jobs by name. A waiting job may have none yet."""
    found = {}
    for start in range(0, len(names), _RUNS_AT_ONCE):
        wanted = names[start : start + _RUNS_AT_ONCE]
        asked = {name: {"runId": name, "selectRunMetadata": True} for name in wanted}
        try:
            answer = workspace.history(
                "POST", "batchrundata", {"requests": asked}, _PATIENCE_SECONDS
            )
        except ServiceError as error:
            if error.status_code not in _NO_SUCH_REQUEST:
                raise
            return _runs_one_by_one(workspace, names)
        for name, result in (answer.get("successfulResults") or {}).items():
            found[name] = result["runMetadata"]
    return found


def _runs_one_by_one(
    workspace: ConnectedWorkspace, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the same where the service does not know that request, which is not documented."""
    found: dict[str, dict[str, Any]] = {}

    def fetch(name: str) -> None:
        run = workspace.history("GET", f"runs/{name}", patience=_PATIENCE_SECONDS)
        if run is not None:
            found[name] = run

    tasks = [Task(0, partial(fetch, name)) for name in names]
    run_all(tasks, _CURVES_AT_ONCE, Progress("Reading", len(tasks), 0))
    return found


def runs_in(
    workspace: ConnectedWorkspace, wanted: JobSelection, count: int
) -> list[dict[str, Any]]:
    """Return the newest runs of an experiment that no other started, chosen by the service.

    `get_by_query_by_experiment_name` of azure-ai-ml's client; the filters are azureml-core's
    (`_restclient/_odata/constants.py`).
    """
    conditions = ["(ParentRunId eq null)"]
    if wanted.status is not None:
        conditions.append(f"(Status eq {wanted.status})")
    if not wanted.archived:
        conditions.append("(Hidden eq false)")
    body = {"filter": " and ".join(conditions), "orderBy": "CreatedUtc desc", "top": count}
    path = f"experiments/{quote(str(wanted.experiment), safe='')}/runs:query"
    found: list[dict[str, Any]] = []
    token = None
    while True:
        following = {**body, "continuationToken": token}
        try:
            page = workspace.history("POST", path, following, _PATIENCE_SECONDS)
        except ServiceError as error:
            # There is no such experiment, or it has no run yet.
            if error.status_code == 404:
                return []
            raise
        found += page.get("value") or ()
        token = page.get("continuationToken")
        # `top` is that of a page, too.
        if not token or len(found) >= count:
            return found[:count]


def children_of(workspace: ConnectedWorkspace, name: str) -> Iterator[dict[str, Any]]:
    """Yield the runs of the steps of a pipeline, or of the trials of a sweep."""
    token = None
    while True:
        query = f"?{urlencode({'$continuationtoken': token})}" if token else ""
        page = workspace.history("GET", f"runs/{name}/children{query}")
        # A waiting job may have no run yet.
        yield from (page or {}).get("value") or ()
        token = (page or {}).get("continuationToken")
        if not token:
            return


def outputs_of(workspace: ConnectedWorkspace, run: Mapping[str, Any]) -> dict[str, str]:
    """Return the addresses of the outputs of a run, as far as it has them already.

    As `get_job_output_uris_from_dataplane` of azure-ai-ml does.
    """
    found = {}
    outputs = run.get("outputs") or {}
    for service, path, key in (
        ("data", "dataversion/batchGetResolvedUris", "uri"),
        ("modelregistry", "models/batchGetResolvedUris", "path"),
    ):
        names = {
            each["assetId"]: name
            for name, each in outputs.items()
            if (each.get("type") in _MODEL_TYPES) == (service == "modelregistry")
        }
        if names:
            body = {"values": list(names)}
            answer = workspace.history("POST", path, body, _PATIENCE_SECONDS, service)
            known = {asset: each for asset, each in answer["values"].items() if asset in names}
            found.update({names[asset]: str(each[key]) for asset, each in known.items()})
    return found


def details_of(workspace: ConnectedWorkspace, name: str) -> dict[str, Any]:
    """Return a run with its error and its logs; empty when there is no run yet."""
    found: dict[str, Any] | None = workspace.history(
        "GET", f"runs/{name}/details", patience=_PATIENCE_SECONDS
    )
    return found or {}


def error_of(run: Mapping[str, Any]) -> str:
    error = run.get("error") or {}
    return str((error.get("error") or error).get("message") or "").strip()


def exit_status_in(message: str) -> int | None:
    """Return the exit status that the service's message about a failed command contains."""
    found = _EXIT_STATUS.search(message)
    return int(found[1]) if found and 0 < int(found[1]) < 256 else None


def artifacts_of(workspace: ConnectedWorkspace, experiment: str, name: str) -> list[str]:
    """Return the paths of a job's logs and artifacts. No permission for the storage is needed."""
    path = f"experiments/{quote(experiment, safe='')}/runs/{name}/artifacts"
    names: list[str] = []
    token = None
    while True:
        query = f"?{urlencode({'continuationToken': token})}" if token else ""
        page = workspace.history("GET", path + query, patience=_PATIENCE_SECONDS) or {}
        names += [str(each["path"]) for each in page.get("value") or ()]
        token = page.get("continuationToken")
        if not token:
            return sorted(names)


def logged_by(workspace: ConnectedWorkspace, name: str) -> dict[str, dict[str, Any]]:
    """Return parameters and the last value of each metric."""
    answer = _mlflow(workspace, "runs/get", run_id=name)
    data = (answer or {"run": {}})["run"].get("data") or {}
    return {
        key: {each["key"]: each["value"] for each in data.get(key) or ()}
        for key in ("params", "metrics")
    }


def experiment_of(workspace: ConnectedWorkspace, name: str) -> str | None:
    """Return the id of a run's experiment in MLflow, None while there is no run."""
    answer = _mlflow(workspace, "runs/get", run_id=name)
    return str(answer["run"]["info"]["experiment_id"]) if answer else None


def curves_of(
    workspace: ConnectedWorkspace, names: Sequence[str], metrics: Sequence[str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return every value of each metric of jobs: `step`, `timestamp` in milliseconds, `value`."""
    curves: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in names}

    def fetch(name: str, metric: str) -> None:
        curves[name][metric] = _curve(workspace, name, metric)

    tasks = [Task(0, partial(fetch, name, metric)) for name in names for metric in metrics]
    run_all(tasks, _CURVES_AT_ONCE, Progress("Reading", len(tasks), 0))
    return curves


def _curve(workspace: ConnectedWorkspace, name: str, metric: str) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    more: Mapping[str, str] = {}
    while True:
        answer = _mlflow(workspace, "metrics/get-history", run_id=name, metric_key=metric, **more)
        points += [
            {key: each.get(key, 0) for key in ("step", "timestamp", "value")}
            for each in (answer or {}).get("metrics") or ()
        ]
        token = (answer or {}).get("next_page_token")
        if not token:
            return points
        more = {"page_token": token}


def _mlflow(workspace: ConnectedWorkspace, path: str, **query: str) -> Any:
    """Ask the workspace's MLflow server. None when there is no such run, or no such server."""
    uri = str(workspace.details["properties"].get("mlFlowTrackingUri") or "")
    if not uri:
        return None
    base = uri.replace("azureml://", "https://", 1)
    return workspace.connection.read(
        json_or_none,
        "GET",
        f"{base}/api/2.0/mlflow/{path}?{urlencode(query)}",
        scope=workspace.cloud.management_scope,
        accept=lambda status: status in (200, 404),
        patience=_PATIENCE_SECONDS,
    )

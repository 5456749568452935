"""What run history and MLflow know about jobs: times, logs, artifacts; parameters and metrics.

It is shown in addition to the jobs themselves, and a permission or a service may be missing for it:
therefore each part fails alone, and soon, with `OutsideError`. Interfaces: azure-ai-ml's generated
client `runhistory`; https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from azureml_jobs.azure.answers import ServiceError, json_object
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.jobs import JobSelection
from azureml_jobs.base.parallel import read_all

# Nobody waits longer for what is missing, while the rest could be shown.
_PATIENCE_SECONDS = 8.0
# One request for what a list shows by default.
_RUNS_AT_ONCE = 100
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
            # That request is not documented.
            runs = read_all(names, lambda name: _soon(workspace, f"runs/{name}"))
            return {name: run for name, run in runs.items() if run is not None}
        for name, result in (answer.get("successfulResults") or {}).items():
            found[name] = result["runMetadata"]
    return found


def _soon(workspace: ConnectedWorkspace, path: str) -> Any:
    return workspace.history("GET", path, patience=_PATIENCE_SECONDS)


def _entries(
    page_of: Callable[[str | None], Any],
    entries_key: str = "value",
    token_key: str = "continuationToken",
) -> Iterator[Any]:
    """Yield the entries of all pages. `page_of` gets the token of a page, None for the first."""
    token = None
    while True:
        # A waiting job may have no run yet.
        page = page_of(token) or {}
        yield from page.get(entries_key) or ()
        token = page.get(token_key)
        if not token:
            return


def _query(name: str, token: str | None) -> str:
    return f"?{urlencode({name: token})}" if token else ""


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

    def page_of(token: str | None) -> Any:
        following = {**body, "continuationToken": token}
        return workspace.history("POST", path, following, _PATIENCE_SECONDS)

    try:
        # `top` is that of a page, too.
        return list(islice(_entries(page_of), count))
    except ServiceError as error:
        # There is no such experiment, or it has no run yet.
        if error.status_code == 404:
            return []
        raise


def children_of(workspace: ConnectedWorkspace, name: str) -> Iterator[dict[str, Any]]:
    """Yield the runs of the steps of a pipeline, or of the trials of a sweep."""
    path = f"runs/{name}/children"
    return _entries(
        lambda token: workspace.history("GET", path + _query("$continuationtoken", token))
    )


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
    return _soon(workspace, f"runs/{name}/details") or {}


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
    found = _entries(lambda token: _soon(workspace, path + _query("continuationToken", token)))
    return sorted(str(each["path"]) for each in found)


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
    pairs = [(name, metric) for name in names for metric in metrics]
    curves = read_all(pairs, lambda pair: _curve(workspace, *pair))
    return {name: {metric: curves[name, metric] for metric in metrics} for name in names}


def _curve(workspace: ConnectedWorkspace, name: str, metric: str) -> list[dict[str, Any]]:
    def page_of(token: str | None) -> Any:
        more = {"page_token": token} if token else {}
        return _mlflow(workspace, "metrics/get-history", run_id=name, metric_key=metric, **more)

    return [
        {key: each.get(key, 0) for key in ("step", "timestamp", "value")}
        for each in _entries(page_of, "metrics", "next_page_token")
    ]


def _mlflow(workspace: ConnectedWorkspace, path: str, **query: str) -> Any:
    """Ask the workspace's MLflow server. None when there is no such run, or no such server."""
    uri = str(workspace.details["properties"].get("mlFlowTrackingUri") or "")
    if not uri:
        return None
    base = uri.replace("azureml://", "https://", 1)
    return workspace.read(
        json_object,
        "GET",
        f"{base}/api/2.0/mlflow/{path}?{urlencode(query)}",
        accept=(200, 404),
        patience=_PATIENCE_SECONDS,
    )

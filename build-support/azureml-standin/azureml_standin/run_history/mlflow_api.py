"""Serve what jobs logged, in the format of MLflow's tracking API, for reading only.

Jobs write the files of MLflow's store themselves. Source of the formats:
https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_standin.control_plane.jobs import Jobs
from azureml_standin.control_plane.resources import WORKSPACE
from azureml_standin.http.messages import HttpError, HttpRequest
from azureml_standin.http.routing import route

_BASE = f"/mlflow/v1.0{WORKSPACE}/api/2.0/mlflow"
_POINTS_PER_PAGE = 1000
_PARENT = re.compile(r"tags\.`?mlflow\.parentRunId`? = '([\w-]+)'")
_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED", "Running": "RUNNING"}


class MlflowApi:
    def __init__(self, jobs: Jobs, mlruns: Path) -> None:
        self._jobs = jobs
        self._store = MlflowStore(mlruns)

    @route("GET", f"{_BASE}/runs/get")
    def get_run(self, request: HttpRequest) -> dict[str, Any]:
        return {"run": self._run(_given(request, "run_id"))}

    @route("POST", f"{_BASE}/runs/search")
    def search_runs(self, request: HttpRequest) -> dict[str, Any]:
        """Respond with a page of runs, newest first; the filter may name their parent."""
        wanted = request.json()
        parent = _PARENT.fullmatch(wanted.get("filter") or "")
        if wanted.get("filter") and parent is None:
            raise HttpError(400, "INVALID_PARAMETER_VALUE", f"Invalid filter: {wanted['filter']}")
        found = []
        for run in self._runs():
            tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
            if run["info"]["experiment_id"] in wanted["experiment_ids"] and (
                parent is None or tags.get("mlflow.parentRunId") == parent[1]
            ):
                found.append(run)
        most = int(wanted.get("max_results") or len(found))
        return _page("runs", found, wanted.get("page_token"), most)

    @route("GET", f"{_BASE}/experiments/get")
    def get_experiment(self, request: HttpRequest) -> dict[str, Any]:
        wanted = _given(request, "experiment_id")
        for experiment in self._experiments():
            if experiment["experiment_id"] == wanted:
                return {"experiment": experiment}
        raise HttpError(404, "RESOURCE_DOES_NOT_EXIST", f"There is no experiment {wanted}.")

    @route("POST", f"{_BASE}/experiments/search")
    def search_experiments(self, request: HttpRequest) -> dict[str, Any]:
        return {"experiments": self._experiments()}

    @route("GET", f"{_BASE}/metrics/get-history")
    def metric_history(self, request: HttpRequest) -> dict[str, Any]:
        key, name = _given(request, "metric_key"), _given(request, "run_id")
        self._jobs.stored(name)
        points = [_metric(key, *point) for point in self._store.read_run(name).history.get(key, [])]
        most = int(request.query.get("max_results") or _POINTS_PER_PAGE)
        return _page("metrics", points, request.query.get("page_token"), most)

    def _experiments(self) -> list[dict[str, Any]]:
        # The first run of each experiment comes last.
        made = {run["info"]["experiment_id"]: run["info"]["start_time"] for run in self._runs()}
        return [
            {
                "experiment_id": name,
                "name": name,
                "lifecycle_stage": "active",
                "creation_time": made[name],
                "last_update_time": made[name],
            }
            for name in sorted(made)
        ]

    def _runs(self) -> Iterator[dict[str, Any]]:
        """Yield the runs of all jobs, and of those that they started."""
        names = list(self._jobs.names())
        while names:
            name = names.pop()
            yield self._run(name)
            names += [child["name"] for child in self._jobs.execution.children(name)]

    def _run(self, name: str) -> dict[str, Any]:
        job, view = self._jobs.stored(name), self._jobs.execution.view(name)
        data = self._store.read_run(name)
        properties = job["properties"]
        tags = {**(properties.get("tags") or {}), **data.tags}
        tags["mlflow.rootRunId"] = job.get("root", name)
        if "parent" in job:
            tags["mlflow.parentRunId"] = job["parent"]
        return {
            "info": {
                "run_id": name,
                "run_uuid": name,
                "run_name": properties.get("displayName") or name,
                "experiment_id": properties.get("experimentName") or "Default",
                "status": _STATUS.get(view.status, "SCHEDULED"),
                "start_time": _milliseconds(view.started),
                "end_time": _milliseconds(view.ended),
                "lifecycle_stage": "active",
                "artifact_uri": f"azureml://standin/runs/{name}/artifacts",
            },
            "data": {
                "params": [{"key": key, "value": value} for key, value in data.params.items()],
                "tags": [{"key": key, "value": value} for key, value in tags.items()],
                "metrics": [
                    _metric(key, *data.history[key][-1][:2], value)
                    for key, value in data.metrics.items()
                ],
            },
        }


def _given(request: HttpRequest, key: str) -> str:
    if not request.query.get(key):
        message = f"Missing value for parameter '{key}'."
        raise HttpError(400, "INVALID_PARAMETER_VALUE", message)
    return request.query[key]


def _page(key: str, found: Sequence[Any], token: str | None, size: int) -> dict[str, Any]:
    start = int(token or 0)
    more = {"next_page_token": str(start + size)} if len(found) > start + size else {}
    return {key: found[start : start + size], **more}


def _milliseconds(time: str | None) -> int | None:
    return int(datetime.fromisoformat(time).timestamp() * 1000) if time else None


def _metric(key: str, step: int, timestamp: int, value: float) -> dict[str, Any]:
    """Return a value of a metric; MLflow writes NaN and infinities, which JSON has not, as text."""
    number: float | str = value
    if not math.isfinite(value):
        number = "NaN" if math.isnan(value) else f"{'' if value > 0 else '-'}Infinity"
    return {"key": key, "value": number, "timestamp": timestamp, "step": step}

"""Serve what jobs logged, in the format of MLflow's tracking API, for reading only.

Jobs write the files of MLflow's store themselves. Source of the formats:
https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from azureml_jobs.local.mlflow_run_data import RunData
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_standin.control_plane.jobs import Jobs
from azureml_standin.control_plane.resources import WORKSPACE
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route

_BASE = f"/mlflow/{{version}}{WORKSPACE}/api/2.0/mlflow"
_POINTS_PER_PAGE = 1000
_PARENT = re.compile(r"tags\.`?mlflow\.parentRunId`? = '([\w-]+)'")
_MLFLOW_STATUS = {
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Canceled": "KILLED",
    "Running": "RUNNING",
}


class MlflowApi:
    def __init__(self, jobs: Jobs, mlruns: Path) -> None:
        self._jobs = jobs
        self._store = MlflowStore(mlruns)

    def routes(self) -> list[Route]:
        return [
            Route("GET", f"{_BASE}/runs/get", self.get_run),
            Route("GET", f"{_BASE}/metrics/get-history", self.metric_history),
            Route("POST", f"{_BASE}/runs/search", self.search_runs),
            Route("GET", f"{_BASE}/experiments/get", self.get_experiment),
            Route("POST", f"{_BASE}/experiments/search", self.search_experiments),
        ]

    def get_run(self, request: HttpRequest, version: str) -> HttpResponse:
        return json_response({"run": self._run(_run_id(request))})

    def search_runs(self, request: HttpRequest, version: str) -> HttpResponse:
        """Respond with a page of runs, newest first; the filter may name their parent."""
        wanted = request.json()
        parent = _PARENT.fullmatch(wanted.get("filter") or "")
        if wanted.get("filter") and parent is None:
            raise HttpError(400, "INVALID_PARAMETER_VALUE", f"Invalid filter: {wanted['filter']}")
        known = [
            run
            for run in self._runs()
            if run["info"]["experiment_id"] in wanted["experiment_ids"]
            and (parent is None or _tag(run, "mlflow.parentRunId") == parent[1])
        ]
        start = int(wanted.get("page_token") or 0)
        end = start + int(wanted.get("max_results") or len(known))
        more = {"next_page_token": str(end)} if len(known) > end else {}
        return json_response({"runs": known[start:end], **more})

    def get_experiment(self, request: HttpRequest, version: str) -> HttpResponse:
        wanted = request.query.get("experiment_id")
        for experiment in self._experiments():
            if experiment["experiment_id"] == wanted:
                return json_response({"experiment": experiment})
        raise HttpError(404, "RESOURCE_DOES_NOT_EXIST", f"There is no experiment {wanted}.")

    def search_experiments(self, request: HttpRequest, version: str) -> HttpResponse:
        return json_response({"experiments": self._experiments()})

    def metric_history(self, request: HttpRequest, version: str) -> HttpResponse:
        key, query = request.query.get("metric_key"), request.query
        if not key:
            raise HttpError(
                400, "INVALID_PARAMETER_VALUE", "Missing value for parameter 'metric_key'."
            )
        name = _run_id(request)
        self._jobs.stored(name)
        start = int(query.get("page_token") or 0)
        end = start + int(query.get("max_results") or _POINTS_PER_PAGE)
        points = self._data(name).history.get(key, [])
        content: dict[str, Any] = {
            "metrics": [
                {"key": key, "value": _number(value), "timestamp": timestamp, "step": step}
                for step, timestamp, value in points[start:end]
            ]
        }
        if len(points) > end:
            content["next_page_token"] = str(end)
        return json_response(content)

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

    def _data(self, name: str) -> RunData:
        return self._store.read_run(name) or RunData("")

    def _run(self, name: str) -> dict[str, Any]:
        job = self._jobs.stored(name)
        properties = job["properties"]
        view = self._jobs.execution.view(name)
        data = self._data(name)
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
                "status": _MLFLOW_STATUS.get(view.status, "SCHEDULED"),
                "start_time": _milliseconds(view.started),
                "end_time": _milliseconds(view.ended),
                "lifecycle_stage": "active",
                "artifact_uri": f"azureml://standin/runs/{name}/artifacts",
            },
            "data": {
                "params": [{"key": key, "value": value} for key, value in data.params.items()],
                "tags": [{"key": key, "value": value} for key, value in tags.items()],
                "metrics": [
                    {"key": key, "value": _number(value), "timestamp": timestamp, "step": step}
                    for key, value in data.metrics.items()
                    for step, timestamp, _ in data.history[key][-1:]
                ],
            },
        }


def _tag(run: dict[str, Any], key: str) -> str | None:
    return next((tag["value"] for tag in run["data"]["tags"] if tag["key"] == key), None)


def _run_id(request: HttpRequest) -> str:
    name = request.query.get("run_id") or request.query.get("run_uuid")
    if not name:
        raise HttpError(400, "INVALID_PARAMETER_VALUE", "Missing value for parameter 'run_id'.")
    return name


def _milliseconds(time: str | None) -> int | None:
    return int(datetime.fromisoformat(time).timestamp() * 1000) if time else None


def _number(value: float) -> float | str:
    """Return a number for JSON; MLflow writes NaN and infinities, which JSON has not, as text."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else f"{'' if value > 0 else '-'}Infinity"

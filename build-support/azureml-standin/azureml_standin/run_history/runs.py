"""Run history, and the addresses of logs, artifacts and outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from azureml_standin.clouds import Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.jobs import Jobs
from azureml_standin.control_plane.resources import ARTIFACT_CONTAINER, WORKSPACE, artifact_prefix
from azureml_standin.execution.runs import RunView
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import route
from azureml_standin.storage.blobs import Blobs

_HISTORY = f"/history/v1.0{WORKSPACE}"
_RUNS = f"{_HISTORY}{{place=(?:/experiments/[^/]+)?}}/runs"
_DATA = f"/data/v1.0{WORKSPACE}/dataversion"
_MODELS = f"/modelregistry/v1.0{WORKSPACE}/models"
# What run history calls outputs that are models.
_MODEL_TYPES = {
    "custom_model": "CustomModel",
    "mlflow_model": "MLFlowModel",
    "triton_model": "TritonModel",
}
_ARTIFACTS_OF_A_PAGE = 500
_RUNS_OF_A_PAGE = 50
_ASSETS = "azureml://locations/standin/workspaces/standin/data/"
# Source: the types that `azureml-core` registers for its runs.
_RUN_TYPES = {
    "Command": "azureml.scriptrun",
    "Pipeline": "azureml.PipelineRun",
    "Sweep": "hyperdrive",
}
# Of filters as azureml-core writes them (`_restclient/_odata/constants.py`).
_CONDITION = re.compile(r"\((\w+) eq (\w+)\)")
_FIELDS = {"ParentRunId": "parentRunId", "Hidden": "hidden", "Status": "status"}
_VALUES = {"null": None, "true": True, "false": False}


class RunHistory:
    """Sources: azure-ai-ml's clients `runhistory`, `dataset_dataplane` and `model_dataplane`."""

    def __init__(self, jobs: Jobs, blobs: Blobs) -> None:
        self._jobs = jobs
        self._execution = jobs.execution
        self._blobs = blobs

    @route("GET", f"{_RUNS}/{{name}}")
    def get_run(self, request: HttpRequest, place: str, name: str) -> dict[str, Any]:
        return self.run(name, place)

    @route("PATCH", f"{_RUNS}/{{name}}")
    def change_run(self, request: HttpRequest, place: str, name: str) -> dict[str, Any]:
        self._jobs.change(name, request.json())
        return self.run(name, place)

    @route("POST", f"{_HISTORY}/rundata")
    def run_data(self, request: HttpRequest) -> dict[str, Any]:
        return self._run_data(request.json())

    @route("POST", f"{_HISTORY}/batchrundata")
    def batch_run_data(self, request: HttpRequest) -> HttpResponse:
        """Return a batch of runs (the client's `BatchResult1`), with 207 if some failed."""
        done, failed = {}, {}
        for key, each in resources.required(request.json(), "requests", dict).items():
            try:
                done[key] = self._run_data(each)
            except HttpError as error:
                failed[key] = error.content()
        content = {"successfulResults": done, "failedResults": failed}
        return json_response(content, 207 if failed else 200)

    def _run_data(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        resources.required(wanted, "selectRunMetadata", bool)
        return {"runMetadata": self.run(resources.required(wanted, "runId"))}

    @route("GET", f"{_RUNS}/{{name}}/details")
    def details(self, request: HttpRequest, place: str, name: str) -> dict[str, Any]:
        run = self.run(name, place)
        prefix = f"{artifact_prefix(name)}/"
        run["logFiles"] = {
            blob.name[len(prefix) :]: self._address(request, blob.name)
            for folder in ("user_logs/", "logs/", "azureml-logs/")
            for blob in self._blobs.blobs(ARTIFACT_CONTAINER, prefix + folder)
        }
        return run

    @route("GET", f"{_RUNS}/{{name}}/children")
    def children(self, request: HttpRequest, place: str, name: str) -> dict[str, Any]:
        self.run(name, place)
        return {"value": [self.run(each["name"]) for each in self._execution.children(name)]}

    @route("POST", f"{_HISTORY}/experiments/{{experiment}}/runs:query")
    def query(self, request: HttpRequest, experiment: str) -> dict[str, Any]:
        """Respond with a page of the runs of an experiment that a filter takes, newest first."""
        wanted = request.json()
        resources.one_of(wanted, "orderBy", ("CreatedUtc desc",))
        names = reversed(self._jobs.names())
        runs = [run for run in map(self.run, names) if run["experimentId"] == experiment]
        if not runs:
            raise resources.not_found(f"experiments/{experiment}")
        fits = _read_filter(resources.required(wanted, "filter"))
        most = min(resources.required(wanted, "top", int), _RUNS_OF_A_PAGE)
        return _page([run for run in runs if fits(run)], wanted.get("continuationToken"), most)

    @route("GET", f"{_RUNS}/{{name}}/artifacts")
    def artifacts(self, request: HttpRequest, place: str, name: str) -> dict[str, Any]:
        self.run(name, place)
        prefix = f"{artifact_prefix(name)}/"
        found = [
            {
                "artifactId": blob.name,
                "origin": "ExperimentRun",
                "container": f"dcid.{name}",
                "path": blob.name[len(prefix) :],
                "etag": blob.etag,
            }
            for blob in self._blobs.blobs(ARTIFACT_CONTAINER, prefix)
        ]
        return _page(found, request.query.get("continuationToken"), _ARTIFACTS_OF_A_PAGE)

    @route("POST", f"{_MODELS}/batchGetResolvedUris")
    def resolve_models(self, request: HttpRequest) -> dict[str, Any]:
        return self.resolve_uris(request, "path")

    @route("POST", f"{_DATA}/batchGetResolvedUris")
    def resolve_uris(self, request: HttpRequest, key: str = "uri") -> dict[str, Any]:
        """Respond with where outputs of jobs are, by the ids that `run_data` gave them."""
        found = {}
        for asset in resources.required(request.json(), "values", list):
            job, _, output = str(asset).rpartition("/data/")[2].partition("/outputs/")
            properties = self._jobs.stored(job)["properties"]
            places = {
                "default": f"azureml://jobs/{job}/outputs/artifacts",
                **resources.output_addresses(job, properties),
                **self._execution.kept(job, "outputs"),
            }
            if output not in places:
                raise resources.not_found(str(asset))
            given = (properties.get("outputs") or {}).get(output) or {}
            kind = given.get("jobOutputType", "uri_folder")
            found[asset] = {key: resources.whole_address(places[output]), "type": kind}
        return {"values": found}

    def run(self, name: str, place: str = "") -> dict[str, Any]:
        """Describe a run. `place` is empty, or `/experiments/` with its experiment."""
        job, view = self._jobs.stored(name), self._execution.view(name)
        properties = job["properties"]
        kind = _RUN_TYPES.get(properties["jobType"])
        if kind == _RUN_TYPES["Command"] and job.get("step"):
            kind = "azureml.StepRun"
        types = {"default": "uri_folder"}
        for key, given in (properties.get("outputs") or {}).items():
            types[key] = _MODEL_TYPES.get(given["jobOutputType"], given["jobOutputType"])
        run = {
            "runId": name,
            "parentRunId": job.get("parent"),
            "rootRunId": job.get("root", name),
            "runType": kind,
            "experimentId": properties.get("experimentName") or "Default",
            "displayName": properties.get("displayName") or name,
            "description": properties.get("description"),
            "status": view.status,
            "hidden": bool(properties.get("isArchived")),
            "createdUtc": job["createdAt"],
            "startTimeUtc": view.started,
            "endTimeUtc": view.ended,
            "error": _error(view),
            "tags": properties.get("tags") or {},
            "properties": {
                "azureml.runsource": kind,
                **(properties.get("properties") or {}),
                **self._execution.kept(name, "properties"),
            },
            "outputs": {
                key: {"assetId": f"{_ASSETS}{name}/outputs/{key}", "type": type_}
                for key, type_ in types.items()
            },
        }
        if place not in ("", f"/experiments/{run['experimentId']}"):
            raise resources.not_found(f"{name} in {place}")
        return run

    def _address(self, request: HttpRequest, blob: str) -> str:
        signature = self._blobs.access.signature(ARTIFACT_CONTAINER, "r", blob)
        return f"{Names.of(request).storage}/{ARTIFACT_CONTAINER}/{quote(blob)}?{signature}"


def _page(found: Sequence[Any], token: str | None, size: int) -> dict[str, Any]:
    start = int(token or 0)
    following = str(start + size) if len(found) > start + size else None
    return {"value": found[start : start + size], "continuationToken": following}


def _read_filter(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether a run fits. Raises `HttpError` 400 for what is no filter."""
    wanted = {}
    for part in text.split(" and "):
        match = _CONDITION.fullmatch(part)
        if match is None or match[1] not in _FIELDS:
            raise HttpError(400, "ValidationError", f"The filter {part} is not valid.")
        wanted[_FIELDS[match[1]]] = _VALUES.get(match[2], match[2])
    return lambda run: wanted.items() <= run.items()


def _error(view: RunView) -> Mapping[str, Any] | None:
    if view.status != "Failed":
        return None
    message = view.error or "The job failed."
    if view.exit_code:
        # In the words of Azure ML.
        message = (
            f"Execution failed. User process 'bash' exited with status code {view.exit_code}. "
            "Please check log file 'user_logs/std_log.txt' for error details."
        )
    return {"error": {"code": "UserError", "message": message}, "time": view.ended}

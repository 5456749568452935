"""Run history, and the addresses of logs, artifacts and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from azureml_standin.clouds import Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.descriptions import (
    ARTIFACT_CONTAINER,
    ARTIFACT_STORE,
    BLOB_STORE,
)
from azureml_standin.control_plane.job_outputs import artifact_prefix, output_path
from azureml_standin.control_plane.jobs import Jobs
from azureml_standin.control_plane.resources import WORKSPACE
from azureml_standin.control_plane.workspace import ControlPlane
from azureml_standin.execution.runs import RunView
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.run_history.filters import read_filter
from azureml_standin.storage.blobs import BlobStorage

_HISTORY = f"/history/v1.0{WORKSPACE}"
_DATA = f"/data/v1.0{WORKSPACE}"
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


class RunHistory:
    """Sources: azure-ai-ml's clients `runhistory`, `dataset_dataplane` and `model_dataplane`."""

    def __init__(self, control: ControlPlane, jobs: Jobs, blobs: BlobStorage) -> None:
        self.control = control
        self.jobs = jobs
        self.blobs = blobs

    def routes(self) -> list[Route]:
        found = [
            Route("POST", f"{_HISTORY}/rundata", self.run_data),
            Route("POST", f"{_HISTORY}/batchrundata", self.batch_run_data),
            Route("POST", f"{_DATA}/dataversion/batchGetResolvedUris", self.resolve_uris),
            Route("POST", f"{_MODELS}/batchGetResolvedUris", self.resolve_models),
        ]
        in_experiment = f"{_HISTORY}/experiments/{{experiment}}/runs/{{name}}"
        found.append(Route("GET", f"{in_experiment}/artifacts", self.artifacts))
        query = f"{_HISTORY}/experiments/{{experiment}}/runs:query"
        found.append(Route("POST", query, self.query))
        for runs in (f"{_HISTORY}/runs", f"{_HISTORY}/experiments/{{experiment}}/runs"):
            found += [
                Route("GET", f"{runs}/{{name}}", self.get_run),
                Route("PATCH", f"{runs}/{{name}}", self.change_run),
                Route("GET", f"{runs}/{{name}}/details", self.details),
                Route("GET", f"{runs}/{{name}}/children", self.children),
            ]
        return found

    def get_run(self, request: HttpRequest, name: str, experiment: str = "") -> HttpResponse:
        return json_response(self.run(name, experiment))

    def change_run(self, request: HttpRequest, name: str, experiment: str = "") -> HttpResponse:
        self.jobs.change(name, request.json())
        return json_response(self.run(name, experiment))

    def run_data(self, request: HttpRequest) -> HttpResponse:
        return json_response(self._run_data(request.json()))

    def batch_run_data(self, request: HttpRequest) -> HttpResponse:
        """Return a batch of runs (the client's `BatchResult1`), with 207 if some failed."""
        wanted = request.json().get("requests")
        if not isinstance(wanted, dict) or not wanted:
            raise HttpError(400, "ValidationError", "requests is required.")
        done, failed = {}, {}
        for key, each in wanted.items():
            try:
                done[key] = self._run_data(each)
            except HttpError as error:
                if error.status != 404:
                    raise
                failed[key] = {"error": {"code": error.code, "message": error.message}}
        content = {"successfulResults": done, "failedResults": failed}
        return json_response(content, 207 if failed else 200)

    def _run_data(self, wanted: Any) -> dict[str, Any]:
        """Return the parts of a run that a `GetRunDataRequest` selects."""
        if not isinstance(wanted, dict) or not isinstance(wanted.get("runId"), str):
            raise HttpError(400, "ValidationError", "runId is required.")
        parts = {
            "selectRunMetadata": "runMetadata",
            "selectRunDefinition": "runDefinition",
            "selectJobSpecification": "jobSpecification",
        }
        unknown = set(wanted) - {"runId", *parts}
        if unknown or any(not isinstance(wanted.get(each, False), bool) for each in parts):
            raise HttpError(400, "ValidationError", f"The request has {sorted(wanted)}.")
        run = self.run(wanted["runId"])
        return {
            part: run if part == "runMetadata" else None
            for select, part in parts.items()
            if wanted.get(select)
        }

    def details(self, request: HttpRequest, name: str, experiment: str = "") -> HttpResponse:
        run = self.run(name, experiment)
        prefix = f"{artifact_prefix(name)}/"
        run["logFiles"] = {
            blob.name[len(prefix) :]: self._address(request, blob.name)
            for folder in ("user_logs/", "logs/", "azureml-logs/")
            for blob in self.blobs.blobs(ARTIFACT_CONTAINER, prefix + folder)
        }
        return json_response(run)

    def children(self, request: HttpRequest, name: str, experiment: str = "") -> HttpResponse:
        self.run(name, experiment)
        found = [self.run(each["name"]) for each in self.jobs.execution.children(name)]
        top = int(request.query.get("$top") or len(found))
        content = {"value": found[:top], "continuationToken": None, "nextLink": None}
        return json_response(content)

    def query(self, request: HttpRequest, experiment: str) -> HttpResponse:
        """Respond with a page of the runs of an experiment that a filter takes."""
        wanted = request.json()
        order = str(wanted.get("orderBy") or "CreatedUtc asc")
        if order.lower() not in ("createdutc asc", "createdutc desc"):
            raise HttpError(400, "ValidationError", f"orderBy is '{order}'.")
        names = self.jobs.names() if order.lower().endswith("asc") else self.jobs.names()[::-1]
        of_experiment = [run for run in map(self.run, names) if run["experimentId"] == experiment]
        if not of_experiment:
            raise resources.not_found(f"experiments/{experiment}")
        fits = read_filter(str(wanted.get("filter") or ""))
        found = [run for run in of_experiment if fits(run)]
        start = int(wanted.get("continuationToken") or 0)
        end = start + min(int(wanted.get("top") or len(found)), _RUNS_OF_A_PAGE)
        token = str(end) if len(found) > end else None
        return json_response(
            {"value": found[start:end], "continuationToken": token, "nextLink": None}
        )

    def artifacts(self, request: HttpRequest, name: str, experiment: str) -> HttpResponse:
        self.run(name, experiment)
        prefix = f"{artifact_prefix(name)}/"
        start = int(request.query.get("continuationToken") or 0)
        blobs = list(self.blobs.blobs(ARTIFACT_CONTAINER, prefix))
        end = start + _ARTIFACTS_OF_A_PAGE
        following = str(end) if len(blobs) > end else None
        return json_response(
            {
                "value": [
                    {
                        "artifactId": blob.name,
                        "origin": "ExperimentRun",
                        "container": f"dcid.{name}",
                        "path": blob.name[len(prefix) :],
                        "etag": blob.etag,
                    }
                    for blob in blobs[start:end]
                ],
                "continuationToken": following,
                "nextLink": None,
            }
        )

    def resolve_models(self, request: HttpRequest) -> HttpResponse:
        return self.resolve_uris(request, "path")

    def resolve_uris(self, request: HttpRequest, key: str = "uri") -> HttpResponse:
        """Respond with where outputs of jobs are, by the ids that `run_data` gave them."""
        wanted = request.json().get("values")
        if not isinstance(wanted, list):
            raise HttpError(400, "ValidationError", "values is required.")
        workspace = self.control.workspace
        base = (
            f"azureml://subscriptions/{workspace.subscription}/resourcegroups/{workspace.group}"
            f"/workspaces/{workspace.name}/datastores"
        )
        found = {}
        for asset in wanted:
            job, _, output = str(asset).rpartition("/data/")[2].partition("/outputs/")
            known = self.jobs.stored(job)["properties"].get("outputs") or {}
            of_steps = self.jobs.execution.kept(job, "outputs")
            if output == "default":
                path = f"{ARTIFACT_STORE}/paths/{artifact_prefix(job)}/"
                kind = "uri_folder"
            elif output in known:
                kind = known[output]["jobOutputType"]
                own = f"{BLOB_STORE}/paths/{output_path(job, output, kind)}"
                path = of_steps.get(output, own).partition("datastores/")[2] or own
            else:
                raise resources.not_found(str(asset))
            found[asset] = {key: f"{base}/{path}", "type": kind}
        return json_response({"values": found})

    def run(self, name: str, experiment: str = "") -> dict[str, Any]:
        execution = self.jobs.execution
        run = run_document(self.jobs.stored(name), execution.view(name))
        run["properties"] = {**run["properties"], **execution.kept(name, "properties")}
        if experiment not in ("", run["experimentId"]):
            raise resources.not_found(f"{name} in experiment {experiment}")
        return run

    def _address(self, request: HttpRequest, blob: str) -> str:
        signature = self.blobs.access.signature(ARTIFACT_CONTAINER, "r", blob)
        return f"{Names.of(request).storage}/{ARTIFACT_CONTAINER}/{quote(blob)}?{signature}"


def run_document(job: Mapping[str, Any], view: RunView) -> dict[str, Any]:
    """Describe a run; `job` is what the control plane keeps of it."""
    name, properties = job["name"], job["properties"]
    outputs = properties.get("outputs") or {}
    kind = _RUN_TYPES.get(properties["jobType"])
    if kind == _RUN_TYPES["Command"] and job.get("step"):
        kind = "azureml.StepRun"
    return {
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
        "properties": {"azureml.runsource": kind, **(properties.get("properties") or {})},
        "outputs": {
            key: {"assetId": f"{_ASSETS}{name}/outputs/{key}", "type": kind}
            for key, kind in {
                "default": "uri_folder",
                **{key: _type_of(given["jobOutputType"]) for key, given in outputs.items()},
            }.items()
        },
    }


def _type_of(output: str) -> str:
    return _MODEL_TYPES.get(output, output)


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

"""Jobs of the control plane: taken once under a name, shown, listed, archived, cancelled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from azureml_standin.clouds import AML_AUDIENCES, REGION, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.assets import Assets
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.control_plane.workspace import ARTIFACT_STORE, ControlPlane
from azureml_standin.execution.execution import Execution
from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State

OPERATIONS = (
    f"/subscriptions/{{subscription}}/providers/{resources.PROVIDER}"
    "/locations/{location}/mfeOperationResults/{operation}"
)
# What of a job may change once it is there (https://learn.microsoft.com/rest/api/azureml/jobs).
MUTABLE = frozenset({"displayName", "description", "tags", "properties", "isArchived"})
# What the service adds, and gets back from a client that sends a job which it read.
_SERVICE_SET = frozenset({"status", "services", "parentJobName"})
_DEFAULT_OUTPUT = "default"
_JOB_TYPES = ("Command", "Sweep", "Pipeline", "Spark", "AutoML")
_PATH_TYPES = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")
_ASSET_ID = re.compile(
    r"(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/)([^/]+)/(codes|environments|components|data|models)/([^/]+)/versions/([^/]+)"
)
_REGISTRY_ID = re.compile(r"azureml://registries/[^/]+/(environments|components)/[^/]+/.+")
_COMPUTE_ID = re.compile(r"(?i:.*/workspaces/[^/]+/computes/)([^/]+)")
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs)\.(\w+)\s*\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[.*?\]\]", re.DOTALL)


class Jobs:
    def __init__(
        self, control: ControlPlane, assets: Assets, state: State, execution: Execution
    ) -> None:
        self.control = control
        self.assets = assets
        self.state = state
        self.execution = execution

    def routes(self) -> list[Route]:
        return [
            Route("GET", f"{WORKSPACE}/jobs", self.list),
            Route("GET", f"{WORKSPACE}/jobs/{{name}}", self.get),
            Route("PUT", f"{WORKSPACE}/jobs/{{name}}", self.put),
            Route("DELETE", f"{WORKSPACE}/jobs/{{name}}", self.delete),
            Route("POST", f"{WORKSPACE}/jobs/{{name}}/cancel", self.cancel),
        ]

    def stored(self, name: str) -> dict[str, Any]:
        """What was put, with `createdAt`. Raises `HttpError` 404."""
        found = self.state.document("jobs", name)
        if found is None:
            raise resources.not_found(f"jobs/{name}")
        return found

    def names(self) -> Sequence[str]:
        """All jobs in the order in which they were made."""
        return [each["name"] for each in self.state.documents("jobs")]

    def list(self, request: HttpRequest, workspace: WorkspaceAddress) -> HttpResponse:
        query = request.query
        view = query.get("listViewType", "ActiveOnly").lower()
        found = [
            each
            for each in reversed(self.state.documents("jobs"))
            if view == "all"
            or bool(each["properties"].get("isArchived")) is (view == "archivedonly")
        ]
        if query.get("jobType"):
            found = [e for e in found if e["properties"]["jobType"] == query["jobType"]]
        if query.get("tag"):
            found = [e for e in found if query["tag"] in (e["properties"].get("tags") or {})]
        return resources.page(
            request, [self._shown(request, workspace, each) for each in found], 50
        )

    def get(self, request: HttpRequest, workspace: WorkspaceAddress, name: str) -> HttpResponse:
        return json_response(self._shown(request, workspace, self.stored(name)))

    def put(self, request: HttpRequest, workspace: WorkspaceAddress, name: str) -> HttpResponse:
        resources.check_job_name(name)
        properties = resources.properties_of(request)
        self._check(properties)
        with self.state.lock:
            present = self.state.document("jobs", name)
            if present is None:
                if properties["jobType"] == "Pipeline":
                    self._check_user_token(request)
                job = {"name": name, "createdAt": resources.now(), "properties": dict(properties)}
            else:
                _check_unchanged(present["properties"], properties)
                job = {**present, "properties": _changed(present["properties"], properties)}
            self.state.put_document("jobs", name, job)
            if present is None:
                self.execution.take(name, properties)
        return json_response(self._shown(request, workspace, job), 200 if present else 201)

    def change(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change what is mutable of a job, as run history does for the studio."""
        with self.state.lock:
            job = self.stored(name)
            given = {key: value for key, value in changes.items() if value is not None}
            if "hidden" in given:
                # Run history's name for it (`JobOperations._archive_or_restore`).
                given["isArchived"] = given["hidden"]
            job["properties"] = _changed(job["properties"], given)
            self.state.put_document("jobs", name, job)

    def delete(self, request: HttpRequest, workspace: WorkspaceAddress, name: str) -> HttpResponse:
        self.stored(name)
        if not self.execution.view(name).has_ended:
            raise resources.user_error(f"The job {name} has not ended.", 409)
        self.execution.forget(name)
        self.state.remove_document("jobs", name)
        return HttpResponse(200)

    def cancel(self, request: HttpRequest, workspace: WorkspaceAddress, name: str) -> HttpResponse:
        """Asks for the end; the client polls `Location` until the job has ended."""
        self.stored(name)
        if self.execution.view(name).has_ended:
            raise resources.user_error(f"The job {name} has ended already, it cannot be cancelled.")
        self.execution.cancel(name)
        path = OPERATIONS.format(
            subscription=workspace.subscription, location=REGION, operation=f"jc:{name}"
        )
        version = request.query["api-version"]
        location = f"{Names.of(request).base}{path}?api-version={version}"
        return HttpResponse(202, headers={"Location": location, "Retry-After": "1"})

    def operation(
        self, request: HttpRequest, subscription: str, location: str, operation: str
    ) -> HttpResponse:
        """The state of a cancellation (`LROPoller` of the generated client)."""
        self.control.tokens.check(request, self.control.audiences)
        resources.check_api_version(request)
        kind, _, name = operation.partition(":")
        if kind != "jc":
            raise resources.not_found(operation)
        self.stored(name)
        if self.execution.view(name).has_ended:
            return HttpResponse(200)
        here = f"{Names.of(request).base}{request.target}"
        return HttpResponse(202, headers={"Location": here, "Retry-After": "1"})

    def _shown(
        self, request: HttpRequest, workspace: WorkspaceAddress, job: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = job["name"]
        names = Names.of(request)
        host = names.data_plane.partition("://")[2]
        submitted = job["properties"]
        studio = f"{names.portal}/runs/{name}?wsid={workspace.id}"
        tracking = f"azureml://{host}/mlflow/v1.0{workspace.id}?"
        properties = {
            "experimentName": "Default",
            "displayName": name,
            "isArchived": False,
            **{key: value for key, value in submitted.items() if value is not None},
            "status": self.execution.view(name).status,
            "services": {
                **(submitted.get("services") or {}),
                "Tracking": _service("Tracking", tracking),
                "Studio": _service("Studio", studio),
            },
            "outputs": {
                **(submitted.get("outputs") or {}),
                _DEFAULT_OUTPUT: {
                    "jobOutputType": "uri_folder",
                    "mode": "ReadWriteMount",
                    "uri": f"azureml://datastores/{ARTIFACT_STORE}/{artifact_prefix(name)}",
                },
            },
        }
        return resources.resource(
            f"{workspace.id}/jobs/{name}", "workspaces/jobs", properties, job["createdAt"]
        )

    def _check_user_token(self, request: HttpRequest) -> None:
        """A pipeline starts jobs on behalf of the caller (`_set_headers_with_user_aml_token`)."""
        token = request.headers.get("x-azureml-token")
        if not token:
            raise resources.user_error("A pipeline job needs the header x-azureml-token.")
        self.control.tokens.check_token(token, AML_AUDIENCES)

    def _check(self, properties: Mapping[str, Any]) -> None:
        kind = resources.one_of(properties, "jobType", _JOB_TYPES)
        for key in ("tags", "properties", "environmentVariables"):
            resources.texts(properties, key)
        compute = properties.get("computeId")
        if compute:
            match = _COMPUTE_ID.fullmatch(compute)
            if match is None or not self.control.has_compute(match[1]):
                raise resources.user_error(f"Unknown compute target '{compute}'.")
        _check_inputs(properties)
        if kind == "Command":
            self._check_command(properties)
        elif kind == "Sweep":
            resources.required(properties, "searchSpace", dict)
            resources.required(properties, "samplingAlgorithm", dict)
            resources.required(properties, "objective", dict)
            self._check_command(resources.required(properties, "trial", dict), "trial.")
        elif kind == "Pipeline" and not properties.get("sourceJobId"):
            for name, node in resources.required(properties, "jobs", dict).items():
                if not isinstance(node, dict) or not (node.get("componentId") or node.get("type")):
                    raise resources.user_error(f"properties.jobs.{name} has no componentId.")
                if node.get("componentId"):
                    self._check_asset(node["componentId"], "components")

    def _check_command(self, properties: Mapping[str, Any], where: str = "") -> None:
        command = resources.required(properties, "command", where=where)
        self._check_asset(
            resources.required(properties, "environmentId", where=where), "environments"
        )
        if properties.get("codeId"):
            self._check_asset(properties["codeId"], "codes")
        if where:
            return
        for group, name in _REFERENCE.findall(_OPTIONAL_PART.sub("", command)):
            if name not in (properties.get(group) or {}):
                raise resources.user_error(
                    f"The command names {group}.{name}, which is not declared."
                )
        limits = properties.get("limits")
        if limits:
            if limits.get("jobLimitsType") != "Command":
                raise resources.user_error("properties.limits.jobLimitsType has to be Command.")

    def _check_asset(self, id_: str, kind: str) -> None:
        if _REGISTRY_ID.fullmatch(id_):
            return
        match = _ASSET_ID.fullmatch(id_)
        if match is None or match[2] != kind:
            raise resources.user_error(f"'{id_}' is no address of {kind}.")
        # Environments that Azure itself keeps up are in every workspace.
        if kind == "environments" and match[3].startswith("AzureML-"):
            return
        if not self.assets.version(self.control.workspace, kind, match[3], match[4]):
            raise resources.user_error(f"{kind}/{match[3]} version {match[4]} was not found.")


def artifact_prefix(name: str) -> str:
    """Where the artifacts of a job are in the artifact store's container."""
    return f"ExperimentRun/dcid.{name}"


def _service(kind: str, endpoint: str) -> dict[str, Any]:
    return {"jobServiceType": kind, "port": None, "endpoint": endpoint, "status": None}


def _check_inputs(properties: Mapping[str, Any]) -> None:
    for group, key in (("inputs", "jobInputType"), ("outputs", "jobOutputType")):
        for name, given in (properties.get(group) or {}).items():
            if not isinstance(given, dict) or key not in given:
                raise resources.user_error(f"properties.{group}.{name}.{key} is required.")
            kind = given[key]
            if kind == "literal" and group == "inputs":
                if not isinstance(given.get("value"), str):
                    raise resources.user_error(f"properties.{group}.{name}.value has to be a text.")
            elif kind not in _PATH_TYPES:
                raise resources.user_error(f"properties.{group}.{name}.{key} is '{kind}'.")
            elif group == "inputs" and not isinstance(given.get("uri"), str):
                raise resources.user_error(f"properties.{group}.{name}.uri is required.")


def _changed(present: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a job after a change; a tag that is left out stays.

    Source of that: https://github.com/Azure/azure-sdk-for-python/issues/30671
    """
    changed = {key: given[key] for key in MUTABLE & set(given)}
    for key in ("tags", "properties"):
        if key in changed:
            changed[key] = {**(present.get(key) or {}), **(changed[key] or {})}
    return {**present, **changed}


def _check_unchanged(present: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Raise `HttpError` where a PUT would change what a job is: a job is made once.

    Source of the words: https://github.com/Azure/azure-sdk-for-python/pull/47389
    """

    def fixed(content: Mapping[str, Any]) -> dict[str, Any]:
        found = {
            key: value
            for key, value in content.items()
            if key not in MUTABLE | _SERVICE_SET and value not in (None, {}, [], "")
        }
        outputs = {k: v for k, v in (content.get("outputs") or {}).items() if k != _DEFAULT_OUTPUT}
        found.pop("outputs", None)
        found.setdefault("experimentName", "Default")
        return {**found, "outputs": outputs} if outputs else found

    before, after = fixed(present), fixed(properties)
    if before != after:
        changed = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
        raise resources.user_error(
            "A job with this name already exists. If you are trying to create a new job, use a "
            "different name. If you are trying to update an existing job, the existing job's "
            f"{', '.join(changed)} cannot be changed. Only description, tags, displayName, "
            "properties, and isArchived can be updated."
        )

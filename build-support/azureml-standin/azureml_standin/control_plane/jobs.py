"""Jobs of the control plane: made once under a name, shown, listed, archived, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azureml_standin.clouds import AML_AUDIENCES, REGION, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.descriptions import ARTIFACT_STORE
from azureml_standin.control_plane.job_checks import (
    DEFAULT_OUTPUT,
    MUTABLE,
    check_job,
    check_unchanged,
)
from azureml_standin.control_plane.job_outputs import artifact_prefix
from azureml_standin.control_plane.references import References
from azureml_standin.control_plane.resources import WORKSPACE
from azureml_standin.control_plane.workspace import ControlPlane
from azureml_standin.execution.execution import Execution
from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State

OPERATIONS = (
    f"/subscriptions/{{subscription}}/providers/{resources.PROVIDER}"
    "/locations/{location}/mfeOperationResults/{operation}"
)


class Jobs:
    def __init__(
        self, control: ControlPlane, references: References, state: State, execution: Execution
    ) -> None:
        self.control = control
        self._references = references
        self.state = state
        self.execution = execution

    def routes(self) -> list[Route]:
        return [
            Route("GET", f"{WORKSPACE}/jobs", self.list),
            Route("GET", f"{WORKSPACE}/jobs/{{name}}", self.get),
            Route("PUT", f"{WORKSPACE}/jobs/{{name}}", self.put),
            Route("POST", f"{WORKSPACE}/jobs/{{name}}/cancel", self.cancel),
        ]

    def stored(self, name: str) -> dict[str, Any]:
        """Return what was put, with `createdAt`, or a child. Raises `HttpError` 404."""
        found = self.state.document("jobs", name) or self.state.document("children", name)
        if found is None:
            raise resources.not_found(f"jobs/{name}")
        return found

    def names(self) -> Sequence[str]:
        """Return all names in the order in which the jobs were made."""
        return [each["name"] for each in self.state.documents("jobs")]

    def list(self, request: HttpRequest) -> HttpResponse:
        found = resources.viewed(request, reversed(self.state.documents("jobs")))
        return resources.page(request, [self._resource(request, each) for each in found], 50)

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        job = self.stored(name)
        content = self._resource(request, job)
        if job.get("step"):
            # Only run history has the steps of pipelines (`_is_pipeline_child_job`).
            content["properties"] = None
        return json_response(content)

    def put(self, request: HttpRequest, name: str) -> HttpResponse:
        resources.check_job_name(name)
        properties = resources.properties_of(request)
        check_job(properties, self._references)
        with self.state.lock:
            present = self.state.document("jobs", name)
            if present is None:
                self._check_user_token(request, properties)
                job = {"name": name, "createdAt": resources.now(), "properties": dict(properties)}
            else:
                check_unchanged(present["properties"], properties)
                job = {**present, "properties": _changed(present["properties"], properties)}
            self.state.put_document("jobs", name, job)
            if present is None:
                self.execution.enqueue(name, properties)
        return json_response(self._resource(request, job), 200 if present else 201)

    def _check_user_token(self, request: HttpRequest, properties: Mapping[str, Any]) -> None:
        """Check the token with which Azure ML acts for the user, which some jobs need.

        `JobOperations.create_or_update` sends it.
        """
        identity = (properties.get("identity") or {}).get("identityType")
        if properties["jobType"] == "Pipeline" or identity == "UserIdentity":
            token = request.headers.get("x-azureml-token", "")
            self.control.tokens.check_token(token, AML_AUDIENCES)

    def change(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change what is mutable of a job, as run history does for the studio."""
        with self.state.lock:
            job = self.stored(name)
            given = {key: value for key, value in changes.items() if value is not None}
            if "hidden" in given:
                # Run history calls it so (`JobOperations._archive_or_restore`).
                given["isArchived"] = given["hidden"]
            job["properties"] = _changed(job["properties"], given)
            self.state.put_document("children" if "parent" in job else "jobs", name, job)

    def cancel(self, request: HttpRequest, name: str) -> HttpResponse:
        """Begin to cancel; the client polls `Location` until the job has ended."""
        self.stored(name)
        if self.execution.view(name).has_ended:
            raise resources.user_error(f"The job {name} has ended already, it cannot be cancelled.")
        self.execution.cancel(name)
        path = OPERATIONS.format(
            subscription=self.control.workspace.subscription,
            location=REGION,
            operation=f"jc:{name}",
        )
        version = request.query["api-version"]
        location = f"{Names.of(request).base}{path}?api-version={version}"
        return HttpResponse(202, headers={"Location": location, "Retry-After": "1"})

    def operation(
        self, request: HttpRequest, subscription: str, location: str, operation: str
    ) -> HttpResponse:
        """Respond with the state of a cancellation (`LROPoller` of the generated client)."""
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

    def _resource(self, request: HttpRequest, job: Mapping[str, Any]) -> dict[str, Any]:
        name, workspace = job["name"], self.control.workspace
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
            "properties": {
                **(submitted.get("properties") or {}),
                **self.execution.kept(name, "properties"),
            },
            "status": self.execution.view(name).status,
            "services": {
                **(submitted.get("services") or {}),
                "Tracking": _service("Tracking", tracking),
                "Studio": _service("Studio", studio),
            },
            "outputs": {
                **(submitted.get("outputs") or {}),
                DEFAULT_OUTPUT: {
                    "jobOutputType": "uri_folder",
                    "mode": "ReadWriteMount",
                    "uri": f"azureml://datastores/{ARTIFACT_STORE}/{artifact_prefix(name)}",
                },
            },
        }
        return resources.resource(
            f"{workspace.id}/jobs/{name}", "workspaces/jobs", properties, job["createdAt"]
        )


def _service(kind: str, endpoint: str) -> dict[str, Any]:
    return {"jobServiceType": kind, "port": None, "endpoint": endpoint, "status": None}


def _changed(present: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a job after a change; a tag that is left out stays.

    Source of that: https://github.com/Azure/azure-sdk-for-python/issues/30671
    """
    changed = {key: given[key] for key in MUTABLE & set(given)}
    for key in ("tags", "properties"):
        if key in changed:
            changed[key] = {**(present.get(key) or {}), **(changed[key] or {})}
    return {**present, **changed}

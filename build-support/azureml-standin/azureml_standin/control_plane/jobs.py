"""Jobs of the control plane: made once under a name, shown, listed, archived, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azureml_jobs.base.job_status import now
from azureml_standin.clouds import AML_AUDIENCES, REGION, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.job_checks import (
    DEFAULT_OUTPUT,
    MUTABLE,
    check_job,
    check_unchanged,
)
from azureml_standin.control_plane.resources import ARTIFACT_STORE, WORKSPACE, WORKSPACE_ID
from azureml_standin.control_plane.workspace import ControlPlane
from azureml_standin.execution.execution import Execution
from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import route

_OPERATION = (
    f"/subscriptions/{{subscription}}/providers/{resources.PROVIDER}"
    f"/locations/{REGION}/mfeOperationResults/jc:{{name}}"
)


class Jobs:
    def __init__(self, control: ControlPlane, execution: Execution) -> None:
        self.control = control
        self.state = control.state
        self.execution = execution

    def stored(self, name: str) -> dict[str, Any]:
        """Return what was put, with `createdAt`, or a child. Raises `HttpError` 404."""
        child = self.state.document("children", name)
        return child or resources.found(self.state, "jobs", name)

    def names(self) -> Sequence[str]:
        """Return all names in the order in which the jobs were made."""
        return [each["name"] for each in self.state.documents("jobs")]

    @route("GET", f"{WORKSPACE}/jobs")
    def list(self, request: HttpRequest) -> dict[str, Any]:
        found = resources.viewed(request, reversed(self.state.documents("jobs")))
        return resources.page(request, [self._resource(request, each) for each in found], 50)

    @route("GET", f"{WORKSPACE}/jobs/{{name}}")
    def get(self, request: HttpRequest, name: str) -> dict[str, Any]:
        job = self.stored(name)
        content = self._resource(request, job)
        if job.get("step"):
            # Only run history has the steps of pipelines (`_is_pipeline_child_job`).
            content["properties"] = None
        return content

    @route("PUT", f"{WORKSPACE}/jobs/{{name}}")
    def put(self, request: HttpRequest, name: str) -> HttpResponse:
        resources.check_name(name)
        properties = resources.properties_of(request)
        check_job(properties, self.execution.assets.references)
        with self.state.lock:
            present = self.state.document("jobs", name)
            if present is None:
                self._check_user_token(request, properties)
                job = {"name": name, "createdAt": now(), "properties": dict(properties)}
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

    @route("POST", f"{WORKSPACE}/jobs/{{name}}/cancel")
    def cancel(self, request: HttpRequest, name: str) -> HttpResponse:
        """Begin to cancel; the client polls `Location` until the job has ended."""
        self.stored(name)
        if self.execution.view(name).has_ended:
            raise resources.user_error(f"The job {name} has ended already, it cannot be cancelled.")
        self.execution.cancel(name)
        path = _OPERATION.format(**resources.PLACE, name=name)
        return _accepted(request, f"{path}?api-version={request.query['api-version']}")

    @route("GET", _OPERATION)
    def operation(self, request: HttpRequest, name: str) -> HttpResponse:
        """Respond with the state of a cancellation (`LROPoller` of the generated client)."""
        self.stored(name)
        has_ended = self.execution.view(name).has_ended
        return HttpResponse(200) if has_ended else _accepted(request, request.target)

    def _resource(self, request: HttpRequest, job: Mapping[str, Any]) -> dict[str, Any]:
        name, names = job["name"], Names.of(request)
        submitted = {key: value for key, value in job["properties"].items() if value is not None}
        studio = f"{names.portal}/runs/{name}?wsid={WORKSPACE_ID}"
        artifacts = {
            "jobOutputType": "uri_folder",
            "mode": "ReadWriteMount",
            "uri": f"azureml://datastores/{ARTIFACT_STORE}/{resources.artifact_prefix(name)}",
        }
        added = {
            "properties": self.execution.kept(name, "properties"),
            "services": {"Studio": {"jobServiceType": "Studio", "endpoint": studio}},
            "outputs": {DEFAULT_OUTPUT: artifacts},
        }
        properties = {
            **{"experimentName": "Default", "displayName": name, "isArchived": False},
            **submitted,
            **{key: {**submitted.get(key, {}), **more} for key, more in added.items()},
            "status": self.execution.view(name).status,
        }
        system = {"systemData": {"createdAt": job["createdAt"]}}
        return resources.resource(f"/jobs/{name}", properties, system)


def _accepted(request: HttpRequest, path: str) -> HttpResponse:
    location = f"{Names.of(request).base}{path}"
    return HttpResponse(202, headers={"Location": location, "Retry-After": "1"})


def _changed(present: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a job after a change; a tag that is left out stays.

    Source of that: https://github.com/Azure/azure-sdk-for-python/issues/30671
    """
    changed = {key: given[key] for key in MUTABLE & set(given)}
    for key in ("tags", "properties"):
        if key in changed:
            changed[key] = {**(present.get(key) or {}), **(changed[key] or {})}
    return {**present, **changed}

"""Schedules, online endpoints and their deployments: put, shown, listed, deleted.

A client waits for `provisioningState`, which is `Succeeded` at once. Nothing is run: a schedule
makes no jobs, and an endpoint answers with what it was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_standin.clouds import REGION, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.job_checks import check_job
from azureml_standin.control_plane.references import References
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State

_KIND = f"{WORKSPACE}/{{kind=schedules|onlineEndpoints}}"
_ONE = f"{_KIND}/{{name}}"
_DEPLOYMENTS = f"{WORKSPACE}/onlineEndpoints/{{endpoint}}/deployments"
_ENDPOINT = f"{WORKSPACE}/onlineEndpoints/{{name}}"
SCORE = "/score/{name}"
KEYS = {
    "primaryKey": "primary-key-of-the-stand-in",
    "secondaryKey": "secondary-key-of-the-stand-in",
}
_TRIGGERS = ("Cron", "Recurrence")


class Managed:
    def __init__(self, workspace: WorkspaceAddress, references: References, state: State) -> None:
        self._workspace = workspace
        self._references = references
        self._state = state

    def routes(self) -> list[Route]:
        found = []
        for all_, one in ((_KIND, _ONE), (_DEPLOYMENTS, f"{_DEPLOYMENTS}/{{name}}")):
            found += [
                Route("GET", all_, self.list),
                Route("GET", one, self.get),
                Route("PUT", one, self.put),
                Route("DELETE", one, self.delete),
            ]
        return [*found, Route("POST", f"{_ENDPOINT}/listKeys", self.list_keys)]

    def list(self, request: HttpRequest, **where: str) -> HttpResponse:
        kind, _ = _place(where)
        return resources.page(request, self._state.documents(kind))

    def get(self, request: HttpRequest, name: str, **where: str) -> HttpResponse:
        return json_response(self._found(name, where))

    def put(self, request: HttpRequest, name: str, **where: str) -> HttpResponse:
        kind, path = _place(where)
        resources.check_asset_name(name, name)
        properties = resources.properties_of(request)
        if kind == "schedules":
            self._check_schedule(properties)
        elif "endpoint" in where:
            self._check_deployment(where["endpoint"], properties)
        else:
            resources.one_of(properties, "authMode", ("Key", "AMLToken", "AADToken"))
            address = f"{Names.of(request).base}{SCORE.format(name=name)}"
            properties = {"traffic": {}, **properties, "scoringUri": address}
        with self._state.lock:
            present = self._state.document(kind, name)
            created = present["systemData"]["createdAt"] if present else resources.now()
            kept = {**properties, "provisioningState": "Succeeded"}
            id_, kind_of_id = f"{self._workspace.id}/{path}/{name}", f"workspaces/{path}"
            made = resources.resource(id_, kind_of_id, kept, created)
            body = request.json()
            made.update({key: body[key] for key in ("identity", "sku", "tags") if key in body})
            made["location"] = REGION
            self._state.put_document(kind, name, made)
        return json_response(made, 200 if present else 201)

    def delete(self, request: HttpRequest, name: str, **where: str) -> HttpResponse:
        kind, _ = _place(where)
        with self._state.lock:
            self._found(name, where)
            self._state.remove_document(kind, name)
        return HttpResponse(200)

    def list_keys(self, request: HttpRequest, name: str) -> HttpResponse:
        self._found(name, {"kind": "onlineEndpoints"})
        return json_response(KEYS)

    def _found(self, name: str, where: Mapping[str, str]) -> dict[str, Any]:
        kind, path = _place(where)
        found = self._state.document(kind, name)
        if found is None:
            raise resources.not_found(f"{path}/{name}")
        return found

    def _check_schedule(self, properties: Mapping[str, Any]) -> None:
        resources.one_of(resources.required(properties, "trigger", dict), "triggerType", _TRIGGERS)
        action = resources.required(properties, "action", dict)
        resources.one_of(action, "actionType", ("CreateJob",))
        check_job(resources.required(action, "jobDefinition", dict), self._references)

    def _check_deployment(self, endpoint: str, properties: Mapping[str, Any]) -> None:
        self._found(endpoint, {"kind": "onlineEndpoints"})
        if properties.get("environmentId"):
            self._references.check_asset(properties["environmentId"], "environments")
        code = (properties.get("codeConfiguration") or {}).get("codeId")
        if code:
            self._references.check_asset(code, "codes")
        model = properties.get("model")
        if model:
            self._references.check_asset(model, "models")


def _place(where: Mapping[str, str]) -> tuple[str, str]:
    """Return under which kind a resource is kept, and where it is below the workspace."""
    if "endpoint" in where:
        path = f"onlineEndpoints/{where['endpoint']}/deployments"
        return path, path
    return where["kind"], where["kind"]

"""Schedules, online endpoints and deployments: put, shown, listed, deleted.

Clients wait for `provisioningState`, which is `Succeeded` at once. A schedule makes no jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_standin.clouds import REGION, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.endpoints import ENDPOINTS, SCORE, Endpoints
from azureml_standin.control_plane.job_checks import check_job
from azureml_standin.control_plane.references import References
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State

_SCHEDULES = "schedules"
_KINDS = (
    f"{WORKSPACE}/{{kind={_SCHEDULES}|{ENDPOINTS}}}",
    f"{WORKSPACE}/{ENDPOINTS}/{{endpoint}}/deployments",
)


class Managed:
    def __init__(
        self,
        workspace: WorkspaceAddress,
        references: References,
        endpoints: Endpoints,
        state: State,
    ) -> None:
        self._workspace = workspace
        self._references = references
        self._endpoints = endpoints
        self._state = state

    def routes(self) -> list[Route]:
        found = []
        for kind in _KINDS:
            one = f"{kind}/{{name}}"
            found += [
                Route("GET", kind, self.list),
                Route("GET", one, self.get),
                Route("PUT", one, self.put),
                Route("DELETE", one, self.delete),
            ]
        return found

    def list(self, request: HttpRequest, **where: str) -> HttpResponse:
        return resources.page(request, self._state.documents(_path(where)))

    def get(self, request: HttpRequest, name: str, **where: str) -> HttpResponse:
        return json_response(resources.found(self._state, _path(where), name))

    def put(self, request: HttpRequest, name: str, **where: str) -> HttpResponse:
        resources.check_asset_name(name, name)
        body, path = request.json(), _path(where)
        properties = {"properties": {}, **resources.properties_of(request)}
        if path == _SCHEDULES:
            self._check_schedule(properties)
            properties.setdefault("isEnabled", True)
        elif path == ENDPOINTS:
            self._endpoints.check(name, properties)
            properties["scoringUri"] = f"{Names.of(request).base}{SCORE.format(name=name)}"
        else:
            self._endpoints.check_deployment(where["endpoint"], properties)
            properties.setdefault("scaleSettings", {"scaleType": "Default"})
        with self._state.lock:
            present = self._state.document(path, name)
            created = present["systemData"]["createdAt"] if present else resources.now()
            properties["provisioningState"] = "Succeeded"
            id_ = f"{self._workspace.id}/{path}/{name}"
            made = resources.resource(id_, f"workspaces/{path}", properties, created)
            made |= {key: body[key] for key in ("identity", "sku", "tags") if key in body}
            self._state.put_document(path, name, {**made, "location": REGION})
        return json_response(made, 200 if present else 201)

    def delete(self, request: HttpRequest, name: str, **where: str) -> HttpResponse:
        path = _path(where)
        with self._state.lock:
            resources.found(self._state, path, name)
            if "endpoint" in where:
                self._endpoints.check_unused(where["endpoint"], name)
            self._state.remove_document(path, name)
            for deployment in self._state.documents(f"{path}/{name}/deployments"):
                self._state.remove_document(f"{path}/{name}/deployments", deployment["name"])
        return HttpResponse(200)

    def _check_schedule(self, properties: Mapping[str, Any]) -> None:
        trigger = resources.required(properties, "trigger", dict)
        resources.one_of(trigger, "triggerType", ("Cron", "Recurrence"))
        action = resources.required(properties, "action", dict)
        resources.one_of(action, "actionType", ("CreateJob",))
        check_job(resources.required(action, "jobDefinition", dict), self._references)


def _path(where: Mapping[str, str]) -> str:
    """Return where resources are below the workspace, which is also how they are kept."""
    if "endpoint" in where:
        return f"{ENDPOINTS}/{where['endpoint']}/deployments"
    return where["kind"]

"""Schedules, online endpoints and deployments: put, shown, listed, deleted.

Clients wait for `provisioningState`, which is `Succeeded` at once. A schedule makes no jobs, and no
model is served: an endpoint answers with what it was asked, and by which deployment.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from azureml_standin.clouds import REGION, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.asset_checks import References
from azureml_standin.control_plane.job_checks import check_job
from azureml_standin.control_plane.resources import WORKSPACE
from azureml_standin.control_plane.workspace import ControlPlane
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import route

SCORE = "/score/{name}"
_SCHEDULES = "schedules"
_ENDPOINTS = "onlineEndpoints"
# Where resources are below the workspace, which is also how they are kept.
_PATH = f"{WORKSPACE}/{{path={_SCHEDULES}|{_ENDPOINTS}(?:/[^/]+/deployments)?}}"


class Managed:
    def __init__(self, control: ControlPlane, references: References) -> None:
        self._references = references
        self._state = control.state

    @route("GET", _PATH)
    def list(self, request: HttpRequest, path: str) -> dict[str, Any]:
        return resources.page(request, self._state.documents(path))

    @route("GET", f"{_PATH}/{{name}}")
    def get(self, request: HttpRequest, path: str, name: str) -> dict[str, Any]:
        return resources.found(self._state, path, name)

    @route("PUT", f"{_PATH}/{{name}}")
    def put(self, request: HttpRequest, path: str, name: str) -> HttpResponse:
        resources.check_name(name, marks="_.-")
        body = request.json()
        properties = {"properties": {}, **resources.properties_of(request)}
        if path == _SCHEDULES:
            self._check_schedule(properties)
            properties.setdefault("isEnabled", True)
        elif path == _ENDPOINTS:
            self._check_endpoint(name, properties)
            properties["scoringUri"] = f"{Names.of(request).base}{SCORE.format(name=name)}"
        else:
            self._check_deployment(path.split("/")[1], properties)
            properties.setdefault("scaleSettings", {"scaleType": "Default"})
        properties["provisioningState"] = "Succeeded"
        with self._state.lock:
            present = self._state.document(path, name)
            made = resources.resource(f"/{path}/{name}", properties, present)
            made |= {key: body[key] for key in ("identity", "sku", "tags") if key in body}
            self._state.put_document(path, name, {**made, "location": REGION})
        return json_response(made, 200 if present else 201)

    @route("DELETE", f"{_PATH}/{{name}}")
    def delete(self, request: HttpRequest, path: str, name: str) -> HttpResponse:
        with self._state.lock:
            resources.found(self._state, path, name)
            if path.endswith("/deployments") and name in self._traffic(path.split("/")[1]):
                raise resources.user_error(f"The deployment {name} still has traffic.")
            self._state.remove_document(path, name)
            for deployment in self._state.documents(f"{path}/{name}/deployments"):
                self._state.remove_document(f"{path}/{name}/deployments", deployment["name"])
        return HttpResponse(200)

    @route("POST", f"{WORKSPACE}/{_ENDPOINTS}/{{name}}/listKeys")
    def list_keys(self, request: HttpRequest, name: str) -> dict[str, Any]:
        resources.found(self._state, _ENDPOINTS, name)
        keys = self._state.document("endpoint-keys", name)
        if keys is None:
            keys = {key: secrets.token_urlsafe() for key in ("primaryKey", "secondaryKey")}
            self._state.put_document("endpoint-keys", name, keys)
        return keys

    def score(self, request: HttpRequest, name: str) -> dict[str, Any]:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in self.list_keys(request, name).values():
            raise HttpError(401, "key_auth_access_denied", "Please check this endpoint's keys.")
        traffic = self._traffic(name)
        most = max(traffic, key=lambda each: traffic[each], default="")
        deployment = request.headers.get("azureml-model-deployment") or most
        resources.found(self._state, f"{_ENDPOINTS}/{name}/deployments", deployment)
        return {"deployment": deployment, "request": json.loads(request.read())}

    def _traffic(self, endpoint: str) -> dict[str, int]:
        properties = resources.found(self._state, _ENDPOINTS, endpoint)["properties"]
        return {key: part for key, part in (properties.get("traffic") or {}).items() if part}

    def _check_schedule(self, properties: Mapping[str, Any]) -> None:
        trigger = resources.required(properties, "trigger", dict)
        resources.one_of(trigger, "triggerType", ("Cron", "Recurrence"))
        action = resources.required(properties, "action", dict)
        resources.one_of(action, "actionType", ("CreateJob",))
        check_job(resources.required(action, "jobDefinition", dict), self._references)

    def _check_endpoint(self, name: str, properties: Mapping[str, Any]) -> None:
        resources.one_of(properties, "authMode", ("Key", "AMLToken", "AADToken"))
        traffic = properties.get("traffic") or {}
        for deployment in traffic:
            resources.found(self._state, f"{_ENDPOINTS}/{name}/deployments", deployment)
        if sum(traffic.values()) not in (0, 100):
            raise resources.user_error("The traffic of all deployments is 0 or 100 percent.")

    def _check_deployment(self, endpoint: str, properties: Mapping[str, Any]) -> None:
        resources.found(self._state, _ENDPOINTS, endpoint)
        code = (properties.get("codeConfiguration") or {}).get("codeId")
        named = {"environments": properties.get("environmentId"), "codes": code}
        for kind, id_ in {**named, "models": properties.get("model")}.items():
            if id_:
                self._references.check_asset(id_, kind)

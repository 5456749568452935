"""Online endpoints: their keys, and what they answer.

No model is served: an endpoint answers with what it was asked, and by which deployment.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from azureml_standin.control_plane import resources
from azureml_standin.control_plane.references import References
from azureml_standin.control_plane.resources import WORKSPACE
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State

ENDPOINTS = "onlineEndpoints"
_ONE = f"{WORKSPACE}/{ENDPOINTS}/{{name}}"
SCORE = "/score/{name}"
_AUTH_MODES = ("Key", "AMLToken", "AADToken")


class Endpoints:
    def __init__(self, references: References, state: State) -> None:
        self._references = references
        self._state = state

    def routes(self) -> list[Route]:
        return [
            Route("POST", f"{_ONE}/listKeys", self.list_keys),
            Route("POST", f"{_ONE}/regenerateKeys", self.regenerate_keys),
            Route("POST", f"{_ONE}/deployments/{{deployment}}/getLogs", self.logs),
        ]

    def check(self, name: str, properties: Mapping[str, Any]) -> None:
        """Raise `HttpError` for an endpoint whose traffic goes nowhere."""
        resources.one_of(properties, "authMode", _AUTH_MODES)
        traffic = properties.get("traffic") or {}
        for deployment in traffic:
            self._deployment(name, deployment)
        if sum(traffic.values()) not in (0, 100):
            raise resources.user_error("The traffic of all deployments is 0 or 100 percent.")

    def check_deployment(self, name: str, properties: Mapping[str, Any]) -> None:
        self._endpoint(name)
        code = (properties.get("codeConfiguration") or {}).get("codeId")
        named = {"environments": properties.get("environmentId"), "codes": code}
        for kind, id_ in {**named, "models": properties.get("model")}.items():
            if id_:
                self._references.check_asset(id_, kind)

    def check_unused(self, name: str, deployment: str) -> None:
        """Raise `HttpError` for a deployment that cannot be deleted, because it has traffic."""
        if (self._endpoint(name)["properties"].get("traffic") or {}).get(deployment):
            raise resources.user_error(f"The deployment {deployment} still has traffic.")

    def list_keys(self, request: HttpRequest, name: str) -> HttpResponse:
        return json_response(self._keys(name))

    def regenerate_keys(self, request: HttpRequest, name: str) -> HttpResponse:
        kind = resources.one_of(request.json(), "keyType", ("Primary", "Secondary"))
        keys = {**self._keys(name), f"{kind.lower()}Key": secrets.token_urlsafe()}
        self._state.put_document("endpoint-keys", name, keys)
        return HttpResponse(200)

    def logs(self, request: HttpRequest, name: str, deployment: str) -> HttpResponse:
        self._deployment(name, deployment)
        return json_response({"content": "The stand-in serves no model.\n"})

    def score(self, request: HttpRequest, name: str) -> HttpResponse:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in self._keys(name).values():
            raise HttpError(401, "key_auth_access_denied", "Please check this endpoint's keys.")
        traffic = self._endpoint(name)["properties"].get("traffic") or {"": 0}
        most = max(traffic, key=lambda each: traffic[each])
        deployment = request.headers.get("azureml-model-deployment") or most
        self._deployment(name, deployment)
        return json_response({"deployment": deployment, "request": request.json()})

    def _keys(self, name: str) -> dict[str, Any]:
        self._endpoint(name)
        keys = self._state.document("endpoint-keys", name)
        if keys is None:
            keys = {key: secrets.token_urlsafe() for key in ("primaryKey", "secondaryKey")}
            self._state.put_document("endpoint-keys", name, keys)
        return keys

    def _endpoint(self, name: str) -> dict[str, Any]:
        return resources.found(self._state, ENDPOINTS, name)

    def _deployment(self, name: str, deployment: str) -> dict[str, Any]:
        return resources.found(self._state, f"{ENDPOINTS}/{name}/deployments", deployment)

"""The identity of a machine, as virtual machines and App Service have one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection

from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.sign_in.tokens import Tokens


class ManagedIdentity:
    """`client_id` is the identity's, `header` the secret of App Service's endpoint."""

    def __init__(self, tokens: Tokens, client_id: str, audiences: Collection[str]) -> None:
        self.header = secrets.token_urlsafe(24)
        self._tokens = tokens
        self._client_id = client_id
        self._audiences = audiences

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/metadata/identity/oauth2/token", self._machine_token),
            Route("GET", "/msi/token", self._app_service_token),
        ]

    def _machine_token(self, request: HttpRequest) -> HttpResponse:
        """Respond as the instance metadata service of a virtual machine."""
        return self._issue(request, request.headers.get("metadata", "").lower() == "true")

    def _app_service_token(self, request: HttpRequest) -> HttpResponse:
        return self._issue(request, request.headers.get("x-identity-header") == self.header)

    def _issue(self, request: HttpRequest, is_allowed: bool) -> HttpResponse:
        resource = request.query.get("resource", "")
        client = request.query.get("client_id") or self._client_id
        if (
            not is_allowed
            or client != self._client_id
            or resource.rstrip("/") not in self._audiences
        ):
            error = {"error": "invalid_request", "error_description": "Identity not found"}
            return json_response(error, 400)
        lifetime = int(self._tokens.lifetime)
        return json_response(
            {
                "access_token": self._tokens.issue(resource, client, request.base),
                "client_id": client,
                "expires_in": str(lifetime),
                "expires_on": str(int(time.time()) + lifetime),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

"""The identity of a machine, as virtual machines and App Service have one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection

from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
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
        if request.headers.get("metadata", "").lower() != "true":
            raise _IdentityError(400, "bad_request_102", "Required metadata header not specified")
        return self._issue(request)

    def _app_service_token(self, request: HttpRequest) -> HttpResponse:
        if not secrets.compare_digest(request.headers.get("x-identity-header", ""), self.header):
            raise _IdentityError(401, "unauthorized_client", "Wrong X-IDENTITY-HEADER")
        return self._issue(request)

    def _issue(self, request: HttpRequest) -> HttpResponse:
        resource = request.query.get("resource", "")
        if resource.rstrip("/") not in self._audiences:
            raise _IdentityError(400, "invalid_resource", f"Unknown resource: {resource!r}")
        client = request.query.get("client_id") or self._client_id
        if client != self._client_id:
            raise _IdentityError(400, "invalid_request", "Identity not found")
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


class _IdentityError(HttpError):
    """An error in the shape of these endpoints: a flat `error` and `error_description`."""

    def response(self) -> HttpResponse:
        return json_response({"error": self.code, "error_description": self.message}, self.status)

"""GitHub Actions and Azure Pipelines as issuers of OpenID Connect tokens for their jobs."""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Any, NamedTuple

from azureml_standin.http.messages import HttpError, HttpRequest, SignInError
from azureml_standin.http.routing import route
from azureml_standin.sign_in.tokens import Tokens

GITHUB = "github"
PIPELINES = "pipelines"
_GITHUB_PATH = "/actions/idtoken"
_PIPELINES_PATH = "/devops/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken"
_EXCHANGE = "api://AzureADTokenExchange"
# By host: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
_EXCHANGES = {
    "login.chinacloudapi.cn": f"{_EXCHANGE}China",
    "login.microsoftonline.us": f"{_EXCHANGE}USGov",
}


class FederatedCredential(NamedTuple):
    """An issuer and a subject whose tokens the application accepts."""

    issuer: str
    subject: str


class BuildServers:
    """A run of each, which may ask for tokens by its own secret.

    Sources: https://docs.github.com/actions/reference/security/oidc, and `AzurePipelinesCredential`
    of azure-identity. `lifetime` is in seconds, for tokens issued from then on.
    """

    github = FederatedCredential(
        "https://token.actions.githubusercontent.com",
        "repo:standin/experiments:ref:refs/heads/main",
    )
    pipelines = FederatedCredential(
        "https://vstoken.dev.azure.com/standin", "sc://standin/experiments/azure-ml"
    )

    def __init__(self) -> None:
        self.lifetime = 600.0
        self.trusted = {self.github, self.pipelines}
        self._secret = secrets.token_urlsafe(24)
        self._connection = str(uuid.uuid4())
        self._keys = Tokens("")

    def variables(self, name: str, url: str) -> dict[str, str]:
        """Return the environment of a step of a workflow. `url` is the service's."""
        if name == GITHUB:
            return {
                "GITHUB_ACTIONS": "true",
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}{_GITHUB_PATH}?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self._secret,
            }
        return {
            "TF_BUILD": "True",
            "SYSTEM_OIDCREQUESTURI": f"{url}{_PIPELINES_PATH}",
            "SYSTEM_ACCESSTOKEN": self._secret,
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": self._connection,
        }

    def check(self, assertion: str, host: str) -> bool:
        """Return whether an assertion is ours. Raises `SignInError` for one that is of no use."""
        try:
            claims = self._keys.verified(assertion)
        except HttpError:
            return False
        unknown = "No matching federated identity record found for presented assertion"
        if claims["exp"] <= time.time():
            number, what = 700024, "The assertion is not within its valid time range."
        elif claims["aud"] != _EXCHANGES.get(host, _EXCHANGE):
            number, what = 700212, f"{unknown} audience '{claims['aud']}'."
        elif FederatedCredential(claims["iss"], claims["sub"]) not in self.trusted:
            number, what = 700213, f"{unknown} subject '{claims['sub']}'."
        else:
            return True
        raise SignInError(401, "invalid_client", number, what)

    @route("GET", _GITHUB_PATH)
    def github_token(self, request: HttpRequest) -> dict[str, Any]:
        # Without an audience, the token is for the owner of the repository.
        audience = request.query.get("audience") or "https://github.com/standin"
        return {"count": 1, "value": self._issue(request, self.github, audience)}

    @route("POST", _PIPELINES_PATH)
    def pipelines_token(self, request: HttpRequest) -> dict[str, str]:
        connection = request.query.get("serviceConnectionId")
        token = self._issue(request, self.pipelines, _EXCHANGE)
        if connection != self._connection:
            message = f"Service connection {connection} was not found."
            raise _BuildServerError(404, "ServiceEndpointNotFound", message)
        return {"oidcToken": token}

    def _issue(self, request: HttpRequest, run: FederatedCredential, audience: str) -> str:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secrets.compare_digest(given, self._secret):
            message = "The request is not authorized."
            raise _BuildServerError(401, "UnauthorizedRequestException", message)
        names = {"iss": run.issuer, "sub": run.subject, "aud": audience, "jti": str(uuid.uuid4())}
        return self._keys.signed(names, self.lifetime)


class _BuildServerError(HttpError):
    """The shape in which Azure Pipelines and, built on the same, GitHub Actions refuse."""

    def content(self) -> dict[str, str]:
        return {"message": self.message, "typeKey": self.code}

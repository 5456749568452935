"""Who runs a job on a build server: GitHub Actions and Azure Pipelines tell it by OpenID Connect.

Microsoft Entra ID takes what they tell in place of a secret. Sources:
https://docs.github.com/actions/reference/security/oidc, and `AzurePipelinesCredential` of
azure-identity, which keeps to itself why a request was refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from azureml_jobs.azure.connection import Connection, ServiceError, patience_seconds

if TYPE_CHECKING:
    from azureml_jobs.azure.clouds import Cloud

# Less than the time that signing in has, so that the reason is told and not its absence.
_PATIENCE_SECONDS = 10.0
_PIPELINES_API_VERSION = "7.1"
_TENANT, _CLIENT = "AZURE_TENANT_ID", "AZURE_CLIENT_ID"
_GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_PIPELINES_URL = "SYSTEM_OIDCREQUESTURI"
_PIPELINES_TOKEN = "SYSTEM_ACCESSTOKEN"
# The task AzureCLI@2 sets these three, of the service connection that it runs with
# (https://github.com/microsoft/azure-pipelines-tasks/tree/master/Tasks/AzureCLIV2).
_CONNECTION = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
_CONNECTION_TENANT = "AZURESUBSCRIPTION_TENANT_ID"
_CONNECTION_CLIENT = "AZURESUBSCRIPTION_CLIENT_ID"


@dataclass(frozen=True)
class BuildServer:
    """A build server that may be asked. `answer_key` is where in its answer the token is."""

    name: str
    tenant: str
    client: str
    method: str
    url: str
    secret: str = field(repr=False)
    answer_key: str

    def token(self) -> str:
        """What the build server tells of this run, signed by it. Raises `ServiceError`."""
        connection = Connection(patience=min(patience_seconds(), _PATIENCE_SECONDS))
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.secret}",
            # Otherwise Azure Pipelines would lead to a page on which a person signs in.
            "X-TFS-FedAuthRedirect": "Suppress",
        }
        try:
            answer = connection.request(self.method, self.url, headers=headers)
            return str(answer.json()[self.answer_key])
        except ServiceError as error:
            raise ServiceError("no OIDC token", error.what, error.status_code) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceError("no OIDC token", "the answer has none") from error


def is_build_server(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("GITHUB_ACTIONS") or environment.get("TF_BUILD"))


def build_server(environment: Mapping[str, str], cloud: Cloud) -> BuildServer | None:
    """The build server on which this runs; None where something is `lacking`, or there is none."""
    if not is_build_server(environment) or lacking(environment):
        return None
    if environment.get("GITHUB_ACTIONS"):
        url, audience = environment[_GITHUB_URL], quote(cloud.token_exchange_audience, safe="")
        return BuildServer(
            "GitHub Actions",
            environment[_TENANT],
            environment[_CLIENT],
            "GET",
            f"{url}{'&' if '?' in url else '?'}audience={audience}",
            environment[_GITHUB_TOKEN],
            "value",
        )
    connection = quote(environment[_CONNECTION], safe="")
    return BuildServer(
        "Azure Pipelines",
        environment.get(_CONNECTION_TENANT) or environment[_TENANT],
        environment.get(_CONNECTION_CLIENT) or environment[_CLIENT],
        "POST",
        f"{environment[_PIPELINES_URL].rstrip('/')}?api-version={_PIPELINES_API_VERSION}"
        f"&serviceConnectionId={connection}",
        environment[_PIPELINES_TOKEN],
        "oidcToken",
    )


def lacking(environment: Mapping[str, str]) -> str:
    """What a build server lacks to sign in by OpenID Connect; empty when it lacks nothing."""
    if environment.get("GITHUB_ACTIONS"):
        if not (environment.get(_GITHUB_URL) and environment.get(_GITHUB_TOKEN)):
            return (
                "GitHub Actions gives this job no OIDC token, because its workflow lacks "
                "`permissions: {id-token: write}`"
            )
        return _not_set(environment, {_TENANT: (_TENANT,), _CLIENT: (_CLIENT,)})
    if environment.get("TF_BUILD"):
        if not environment.get(_PIPELINES_TOKEN):
            return (
                "Azure Pipelines gives this step no token: map it by "
                f"`env: {{{_PIPELINES_TOKEN}: $(System.AccessToken)}}`"
            )
        return _not_set(
            environment,
            {
                _PIPELINES_URL: (_PIPELINES_URL,),
                f"{_CONNECTION} (the task AzureCLI@2 sets it)": (_CONNECTION,),
                _TENANT: (_CONNECTION_TENANT, _TENANT),
                _CLIENT: (_CONNECTION_CLIENT, _CLIENT),
            },
        )
    return ""


def _not_set(environment: Mapping[str, str], wanted: Mapping[str, tuple[str, ...]]) -> str:
    missing = [
        shown for shown, names in wanted.items() if not any(environment.get(name) for name in names)
    ]
    return f"OIDC needs {' and '.join(missing)}" if missing else ""

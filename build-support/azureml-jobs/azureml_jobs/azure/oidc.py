"""OpenID Connect of build servers: GitHub Actions and Azure Pipelines say who runs a job.

Microsoft Entra ID accepts their token in place of a secret. Sources:
https://docs.github.com/actions/reference/security/oidc, and `AzurePipelinesCredential` of
azure-identity, which does not report why a request was refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from azureml_jobs.azure.answers import json_object
from azureml_jobs.azure.connection import Connection
from azureml_jobs.base.errors import OutsideError

if TYPE_CHECKING:
    from azureml_jobs.azure.clouds import Cloud

# Less than the time that signing in has, so that the reason is reported.
_PATIENCE_SECONDS = 10.0
_API_VERSION = "7.1"
# The task AzureCLI@2 sets this one and two more, of the service connection that it runs with
# (https://github.com/microsoft/azure-pipelines-tasks/tree/master/Tasks/AzureCLIV2).
_CONNECTION = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"


@dataclass(frozen=True)
class BuildServer:
    """The build server that this runs on, and the identity that trusts it.

    `missing` says what prevents signing in by it; empty when nothing does. `answer_key` is where
    the token is in an answer.
    """

    name: str
    missing: str
    tenant: str
    client: str
    method: str
    url: str
    secret: str = field(repr=False)
    answer_key: str

    def token(self) -> str:
        """Return a token that says who runs this job. Raises `OutsideError`."""
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.secret}",
            # Otherwise Azure Pipelines would redirect to a page on which a person signs in.
            "X-TFS-FedAuthRedirect": "Suppress",
        }
        try:
            answer = Connection().read(
                json_object, self.method, self.url, headers=headers, patience=_PATIENCE_SECONDS
            )
            return str(answer[self.answer_key])
        except OutsideError as error:
            raise OutsideError("no OIDC token", error.what, error.remedy) from error


def build_server(cloud: Cloud) -> BuildServer | None:
    """Return the build server that this runs on, or None."""
    if os.environ.get("GITHUB_ACTIONS"):
        return _github(cloud)
    return _pipelines() if os.environ.get("TF_BUILD") else None


def _github(cloud: Cloud) -> BuildServer:
    tenant, client = _value("AZURE_TENANT_ID"), _value("AZURE_CLIENT_ID")
    url, secret = _value("ACTIONS_ID_TOKEN_REQUEST_URL"), _value("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    missing = _unset({"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client})
    if not (url and secret):
        missing = (
            "GitHub Actions gives this job no OIDC token. Add `permissions: {id-token: write}` "
            "to its workflow"
        )
    url += f"{'&' if '?' in url else '?'}audience={quote(cloud.token_exchange_audience, safe='')}"
    return BuildServer("GitHub Actions", missing, tenant, client, "GET", url, secret, "value")


def _pipelines() -> BuildServer:
    tenant = _value("AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID")
    client = _value("AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID")
    url, secret = _value("SYSTEM_OIDCREQUESTURI"), _value("SYSTEM_ACCESSTOKEN")
    connection = _value(_CONNECTION)
    needed = {f"{_CONNECTION} (the task AzureCLI@2 sets it)": connection}
    needed |= {"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client}
    missing = _unset({"SYSTEM_OIDCREQUESTURI": url, **needed})
    if not secret:
        missing = (
            "Azure Pipelines gives this step no token. Map it by "
            "`env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`"
        )
    query = f"api-version={_API_VERSION}&serviceConnectionId={quote(connection, safe='')}"
    url = f"{url.rstrip('/')}?{query}"
    return BuildServer("Azure Pipelines", missing, tenant, client, "POST", url, secret, "oidcToken")


def _value(*names: str) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _unset(values: dict[str, str]) -> str:
    missing = [name for name, value in values.items() if not value]
    return f"OIDC needs {' and '.join(missing)}" if missing else ""

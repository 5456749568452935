"""Where the services of an Azure cloud are: Microsoft's three clouds, and private ones."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azureml_jobs.azure.answers import Response, ServiceError, WrongAnswer
from azureml_jobs.azure.connection import Connection
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import PUBLIC_CLOUD

METADATA_VARIABLE = "ARM_CLOUD_METADATA_URL"
_NAME_VARIABLE = "AZUREML_CURRENT_CLOUD"
# The response of this version is a list of clouds, with the keys that `_parse` reads.
_METADATA_PATH = "/metadata/endpoints?api-version=2022-09-01"

_EXCHANGE_SUFFIXES = {"AzureChinaCloud": "China", "AzureUSGovernment": "USGov"}


@dataclass(frozen=True)
class Cloud:
    """Addresses have no slash at their end; suffixes are like `core.windows.net`, `azurecr.io`,
    `api.azureml.ms`.

    A private cloud may have no `registry_suffix`.
    """

    name: str
    resource_manager: str
    authority: str
    machine_learning: str
    portal: str
    storage_suffix: str
    registry_suffix: str
    data_plane_suffix: str = ""
    is_private: bool = False

    @property
    def management_scope(self) -> str:
        return f"{self.resource_manager}/.default"

    def owns(self, url: str) -> bool:
        """Return whether an address is one of this cloud, so that it may have the user's tokens."""
        parts = urlsplit(url)
        # Accounts in DNS zones of their own: https://learn.microsoft.com/azure/storage/common/
        suffixes = [f"blob.{self.storage_suffix}", "blob.storage.azure.net"]
        suffixes += [each for each in (self.registry_suffix, self.data_plane_suffix) if each]
        hosts = {
            urlsplit(each).netloc
            for each in (self.resource_manager, self.authority, self.machine_learning)
        }
        is_below = any((parts.hostname or "").endswith(f".{suffix}") for suffix in suffixes)
        return parts.scheme == "https" and (parts.netloc in hosts or is_below)

    @property
    def token_exchange_audience(self) -> str:
        """The audience that a build server must request its OIDC token for.

        https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
        """
        return f"api://AzureADTokenExchange{_EXCHANGE_SUFFIXES.get(self.name, '')}"


# As in azure-ai-ml's `_azure_environments.py`; registries as in Azure CLI's `cloud.py`; data planes
# as in https://learn.microsoft.com/azure/machine-learning/how-to-access-azureml-behind-firewall
_KNOWN = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            PUBLIC_CLOUD,
            "https://management.azure.com",
            "https://login.microsoftonline.com",
            "https://ml.azure.com",
            "https://portal.azure.com",
            "core.windows.net",
            "azurecr.io",
            "api.azureml.ms",
        ),
        Cloud(
            "AzureChinaCloud",
            "https://management.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
            "https://ml.azure.cn",
            "https://portal.azure.cn",
            "core.chinacloudapi.cn",
            "azurecr.cn",
            "api.ml.azure.cn",
        ),
        Cloud(
            "AzureUSGovernment",
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
            "https://ml.azure.us",
            "https://portal.azure.us",
            "core.usgovcloudapi.net",
            "azurecr.us",
            "api.ml.azure.us",
        ),
    )
}


def find_cloud(name: str, where: str, environment: MutableMapping[str, str] = os.environ) -> Cloud:
    """Return the cloud called `name`, or whose resource manager has that address.

    A private cloud publishes its addresses at `ARM_CLOUD_METADATA_URL`, as for Azure CLI, or below
    its resource manager. `where` is the file that names the cloud; when it names none,
    `AZUREML_CURRENT_CLOUD` counts, as for azure-ai-ml. Both variables are removed from the
    environment: azure-ai-ml would fetch the metadata some ten times. Raises `JobError` for an
    unknown name, `OutsideError` when the cloud does not answer.
    """
    metadata = environment.pop(METADATA_VARIABLE, None)
    current = environment.pop(_NAME_VARIABLE, None)
    if name == PUBLIC_CLOUD and current:
        name = current
    if name in _KNOWN and not metadata:
        return _KNOWN[name]
    if name.startswith("https://"):
        metadata = f"{name}{_METADATA_PATH}"
    if not metadata:
        raise JobError(
            where,
            f"there is no cloud {name}",
            f"Write one of {', '.join(_KNOWN)}, or the `https://` address of a private cloud's "
            f"resource manager.",
        )
    clouds = _read(metadata, where)
    named = [each for each in clouds if each.name == name or each.resource_manager == name]
    if not named and name == PUBLIC_CLOUD:
        # No CLOUD was named: the one whose resource manager was asked.
        named = [each for each in clouds if metadata.startswith(each.resource_manager)]
    if not named:
        listed = ", ".join(cloud.name for cloud in clouds)
        raise JobError(where, f"{metadata} names no cloud {name}", f"It names {listed}.")
    return named[0]


def _read(metadata: str, where: str) -> list[Cloud]:
    def parse(response: Response) -> list[Cloud]:
        try:
            described = json.loads(response.body)
            listed = described if isinstance(described, list) else [described]
            return [_parse(each) for each in listed] or listed[0]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise WrongAnswer(f"it does not describe a cloud ({error!r})") from error

    try:
        return Connection().read(parse, "GET", metadata)
    except ServiceError as error:
        raise error.about(where, f"{error.where}: {error.what}") from error


def _parse(described: Mapping[str, Any]) -> Cloud:
    name, portal = str(described["name"]), str(described["portal"]).rstrip("/")
    # Not in the metadata; derived as azure-ai-ml does it.
    domain = ".".join(portal.split(".")[2:])
    authority = str(described["authentication"]["loginEndpoint"]).rstrip("/")
    return Cloud(
        name,
        str(described["resourceManager"]).rstrip("/"),
        authority,
        f"https://ml.azure.{domain}",
        portal,
        str(described["suffixes"]["storage"]),
        str(described["suffixes"].get("acrLoginServer") or "").lstrip("."),
        f"api.ml.azure.{domain}",
        is_private=authority not in {cloud.authority for cloud in _KNOWN.values()},
    )

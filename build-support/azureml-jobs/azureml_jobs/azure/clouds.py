"""Where the services of an Azure cloud are: the three clouds of Microsoft, and private ones."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.azure.connection import Connection
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import PUBLIC_CLOUD

METADATA_VARIABLE = "ARM_CLOUD_METADATA_URL"
_NAME_VARIABLE = "AZUREML_CURRENT_CLOUD"
# The answer of this version is a list of clouds, with the keys that `_of` reads.
_METADATA_PATH = "/metadata/endpoints?api-version=2022-09-01"

_EXCHANGE_SUFFIXES = {"AzureChinaCloud": "China", "AzureUSGovernment": "USGov"}


@dataclass(frozen=True)
class Cloud:
    """Addresses have no slash at their end; suffixes are like `core.windows.net`, `azurecr.io`.

    A private cloud may have no `registry_suffix`.
    """

    name: str
    resource_manager: str
    authority: str
    machine_learning: str
    portal: str
    storage_suffix: str
    registry_suffix: str
    is_private: bool = False

    @property
    def management_scope(self) -> str:
        return f"{self.resource_manager}/.default"

    @property
    def machine_learning_scope(self) -> str:
        return f"{self.machine_learning}/.default"

    @property
    def token_exchange_audience(self) -> str:
        """Whom a build server has to name as the reader of what it tells of itself.

        https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
        """
        return f"api://AzureADTokenExchange{_EXCHANGE_SUFFIXES.get(self.name, '')}"

    @property
    def storage_scope(self) -> str:
        # The same resource in every cloud of Microsoft:
        # https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory
        return "https://storage.azure.com/.default"

    def blob_address(self, account: str) -> str:
        return f"https://{account}.blob.{self.storage_suffix}"


# As in azure-ai-ml's `_azure_environments.py`; registries as in Azure CLI's `cloud.py`.
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
        ),
        Cloud(
            "AzureChinaCloud",
            "https://management.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
            "https://ml.azure.cn",
            "https://portal.azure.cn",
            "core.chinacloudapi.cn",
            "azurecr.cn",
        ),
        Cloud(
            "AzureUSGovernment",
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
            "https://ml.azure.us",
            "https://portal.azure.us",
            "core.usgovcloudapi.net",
            "azurecr.us",
        ),
    )
}


def find_cloud(name: str, where: str, environment: MutableMapping[str, str] = os.environ) -> Cloud:
    """The cloud called `name`, or whose resource manager has that address.

    A private cloud tells its addresses at `ARM_CLOUD_METADATA_URL`, as Azure CLI knows it, or below
    its resource manager. `where` is what names the cloud. Where it names none,
    `AZUREML_CURRENT_CLOUD` counts, as for azure-ai-ml. Both variables are taken out of the
    environment: azure-ai-ml would ask for the metadata some ten times. Raises `JobError` for a name
    that nobody knows, `OutsideError` when the cloud does not answer.
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
            f"{where}: CLOUD",
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
        raise JobError(
            f"{where}: CLOUD", f"{metadata} names no cloud {name}", f"It names {listed}."
        )
    return named[0]


def _read(metadata: str, where: str) -> list[Cloud]:
    answer = Connection().request("GET", metadata)
    try:
        given = json.loads(answer.body)
        return [_of(each) for each in (given if isinstance(given, list) else [given])]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise OutsideError(
            f"{where}: CLOUD", f"{metadata} does not describe a cloud ({error!r})"
        ) from error


def _of(given: Mapping[str, Any]) -> Cloud:
    name, portal = str(given["name"]), str(given["portal"]).rstrip("/")
    # Not in the metadata; derived as azure-ai-ml does it.
    domain = ".".join(portal.split(".")[2:])
    authority = str(given["authentication"]["loginEndpoint"]).rstrip("/")
    return Cloud(
        name,
        str(given["resourceManager"]).rstrip("/"),
        authority,
        f"https://ml.azure.{domain}",
        portal,
        str(given["suffixes"]["storage"]),
        str(given["suffixes"].get("acrLoginServer") or "").lstrip("."),
        is_private=authority not in {cloud.authority for cloud in _KNOWN.values()},
    )

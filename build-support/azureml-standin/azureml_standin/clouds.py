"""The clouds that the service stands in for, and the names by which clients reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azureml_standin.http.messages import HttpRequest

ACCOUNT = "standin"
REGISTRY = "standinregistry"
REGION = "westeurope"
# The service's own private cloud: a client learns of it from the metadata only.
PRIVATE_CLOUD = "StandIn"


@dataclass(frozen=True)
class Cloud:
    """Hosts of one cloud, as in its metadata (`…/metadata/endpoints?api-version=2022-09-01`)."""

    name: str
    portal: str
    resource_manager: str
    login: str
    storage: str
    # Without the region before it; azure-ai-ml reads the whole host from the workspace.
    data_plane: str
    machine_learning: str
    registry: str

    @property
    def audiences(self) -> tuple[str, ...]:
        """The resource manager's, in its older form, too."""
        older = self.resource_manager.replace("management.", "management.core.")
        older = older.replace("core.azure.com", "core.windows.net")
        return (f"https://{older}/", f"https://{self.resource_manager}/")

    @property
    def aml_audience(self) -> str:
        return f"https://{self.machine_learning}"

    @property
    def hosts(self) -> tuple[str, ...]:
        return (
            self.resource_manager,
            self.login,
            f"*.blob.{self.storage}",
            f"*.{self.data_plane}",
            f"*.{self.registry}",
        )


# Portal, resource manager, login, storage, data plane, Azure ML, and registry of each.
_HOSTS = {
    "AzureCloud": (
        *("portal.azure.com", "management.azure.com", "login.microsoftonline.com"),
        *("core.windows.net", "api.azureml.ms", "ml.azure.com", "azurecr.io"),
    ),
    "AzureUSGovernment": (
        *("portal.azure.us", "management.usgovcloudapi.net", "login.microsoftonline.us"),
        *("core.usgovcloudapi.net", "api.ml.azure.us", "ml.azure.us", "azurecr.us"),
    ),
    "AzureChinaCloud": (
        *("portal.azure.cn", "management.chinacloudapi.cn", "login.chinacloudapi.cn"),
        *("core.chinacloudapi.cn", "api.ml.azure.cn", "ml.azure.cn", "azurecr.cn"),
    ),
    PRIVATE_CLOUD: (
        *("portal.azure.standin", "management.azure.standin", "login.azure.standin"),
        *("core.azure.standin", "api.ml.azure.standin", "ml.azure.standin", "azurecr.standin"),
    ),
}
CLOUDS = tuple(Cloud(name, *hosts) for name, hosts in _HOSTS.items())

ARM_AUDIENCES = tuple(audience for cloud in CLOUDS for audience in cloud.audiences)
AML_AUDIENCES = tuple(cloud.aml_audience for cloud in CLOUDS)
STORAGE_AUDIENCES = (
    "https://storage.azure.com",
    *(f"https://{ACCOUNT}.blob.{c.storage}" for c in CLOUDS),
)


@dataclass(frozen=True)
class Names:
    """How one client names this service.

    base: the URL of the control plane. account: the name of the storage account, from which a
    client makes `https://<account>.blob.<suffix>`. storage: that URL. data_plane: base of run
    history and MLflow. registry: the login server of its images.

    A client that uses the service's own address cannot resolve `standin.blob.…`. For it, the
    account's name begins with that address, and the host becomes a folder.
    """

    base: str
    account: str
    storage: str
    data_plane: str
    portal: str
    registry: str

    @classmethod
    def of(cls, request: HttpRequest) -> Names:
        host = request.host
        for cloud in CLOUDS:
            if host.endswith((cloud.resource_manager, cloud.data_plane)):
                return cls(
                    f"https://{cloud.resource_manager}",
                    ACCOUNT,
                    f"https://{ACCOUNT}.blob.{cloud.storage}",
                    f"https://{REGION}.{cloud.data_plane}",
                    cloud.aml_audience,
                    f"{REGISTRY}.{cloud.registry}",
                )
        suffix = CLOUDS[-1].storage
        return cls(
            request.base,
            f"{host}/{ACCOUNT}",
            f"{request.base}/{ACCOUNT}.blob.{suffix}",
            request.base,
            request.base,
            host,
        )


def known_hosts() -> list[str]:
    """Return the hosts for which the service needs a certificate."""
    return ["localhost", "127.0.0.1", *(host for cloud in CLOUDS for host in cloud.hosts)]


def is_known_host(host: str) -> bool:
    """Return whether the service answers for `host` when it is a client's proxy."""
    return any(
        host == each or (each.startswith("*.") and host.partition(".")[2] == each[2:])
        for cloud in CLOUDS
        for each in cloud.hosts
    )


def metadata(base: str) -> list[dict[str, Any]]:
    """Return the clouds' metadata, with all endpoints at `base`.

    Format: https://management.azure.com/metadata/endpoints?api-version=2022-09-01, of which
    azure-ai-ml (`_azure_environments.py`) reads name, portal, resourceManager, loginEndpoint and
    the storage suffix.
    """
    return [
        {
            "name": cloud.name,
            "portal": f"https://{cloud.portal}/",
            "resourceManager": f"{base}/",
            "authentication": {
                "loginEndpoint": f"{base}/",
                "audiences": [*cloud.audiences, base],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "suffixes": {
                "storage": cloud.storage,
                "acrLoginServer": cloud.registry,
                "keyVaultDns": "vault.azure.standin",
            },
            "activeDirectoryDataLake": f"{base}/",
            "graph": f"{base}/",
        }
        # The private one comes first: a client without the name of a cloud takes the first.
        for cloud in reversed(CLOUDS)
    ]

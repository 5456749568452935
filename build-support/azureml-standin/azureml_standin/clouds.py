"""The clouds that the service stands in for, and the names by which clients reach it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

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
        wild = (f"*.blob.{self.storage}", f"*.{self.data_plane}", f"*.{self.registry}")
        return (self.resource_manager, self.login, *wild)


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
# The account's host as a folder of our own.
_PATH_ADDRESS = re.compile(rf"/{ACCOUNT}\.blob\.[a-z0-9.-]+(/.*|)")


@dataclass(frozen=True)
class Names:
    """How one client names this service: URLs of its parts, and login server of its registry.

    account: the name of the storage account, from which a client makes
    `https://<account>.blob.<suffix>`. A client that uses the service's own address cannot resolve
    `standin.blob.…`: for it, the name begins with that address, and the host becomes a folder.
    """

    base: str
    account: str
    storage: str
    data_plane: str
    portal: str
    registry: str

    @classmethod
    def of(cls, request: HttpRequest) -> Names:
        host, own = request.host, request.base
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
        storage = f"{own}/{ACCOUNT}.blob.{CLOUDS[-1].storage}"
        return cls(own, f"{host}/{ACCOUNT}", storage, own, own, host)


def blob_path(request: HttpRequest) -> str | None:
    """Return the path of a request in the storage account; None for any other request."""
    if request.host.startswith(f"{ACCOUNT}.blob."):
        return request.path
    match = _PATH_ADDRESS.fullmatch(request.path)
    return match[1] if match else None


def storage_location(uri: str) -> tuple[str, str] | None:
    """Return container and path of an address in the storage account, by either of its names.

    One without the account is taken as well: azure-ai-ml loses it (`Artifact.full_storage_path`).
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.netloc:
        return None
    own = _PATH_ADDRESS.fullmatch(parts.path)
    path = unquote(own[1] if own else parts.path)
    container, _, rest = path.lstrip("/").partition("/")
    return (container, rest.strip("/")) if container else None


def known_hosts() -> list[str]:
    """Return the hosts for which the service needs a certificate."""
    return ["localhost", "127.0.0.1", *(host for cloud in CLOUDS for host in cloud.hosts)]


def is_known_host(host: str) -> bool:
    """Return whether the service answers for `host` when it is a client's proxy."""
    return not {host, f"*.{host.partition('.')[2]}"}.isdisjoint(known_hosts())


def metadata(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what clients read of the clouds' metadata, with all endpoints at this service.

    Format: https://management.azure.com/metadata/endpoints?api-version=2022-09-01
    """
    base = request.base
    return [
        {
            "name": cloud.name,
            "portal": f"https://{cloud.portal}/",
            "resourceManager": f"{base}/",
            "authentication": {"loginEndpoint": f"{base}/", "audiences": [*cloud.audiences, base]},
            "suffixes": {"storage": cloud.storage, "acrLoginServer": cloud.registry},
        }
        # The private one comes first: a client without the name of a cloud takes the first.
        for cloud in reversed(CLOUDS)
    ]

"""Datastores of a workspace: where they are, and how they may be read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from azureml_jobs.azure.blobs import Container, sas_of_key
from azureml_jobs.azure.connection import ServiceError
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, Workspace
from azureml_jobs.errors import JobError

_PATH = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?"
    r"/workspaces/[^/]+/)?datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)"
)
_IDENTITY_BASED = frozenset({"None", "ServicePrincipal", "Certificate"})
# A hierarchical account answers the protocol of blobs as well.
_KINDS = frozenset({"AzureBlob", "AzureDataLakeGen2"})


@dataclass(frozen=True)
class Place:
    """A path in a container: without a slash at its begin."""

    container: Container
    path: str


class Datastores:
    """Each datastore is asked for once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opened: dict[str, Container] = {}

    def default(self) -> Container:
        return self.open(DEFAULT_DATASTORE)

    def open(self, name: str) -> Container:
        """The container of a datastore, with whatever credentials it has.

        A key or a signature comes from the datastore; where it has none, or we may not see it, the
        user's own account is used. Raises `JobError` for a datastore that is no container.
        """
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def place_of(self, address: str) -> Place | None:
        """What an `azureml://…/datastores/…/paths/…` address means; None for another address."""
        match = _PATH.fullmatch(address)
        return Place(self.open(match["datastore"]), match["path"]) if match else None

    def _open(self, name: str) -> Container:
        workspace = self._workspace
        resource = workspace.get("datastores", name)
        if resource is None:
            raise JobError(
                f"datastore {name}",
                f"{workspace.place.name} has no such datastore",
                "Look at the names in the studio, below Data.",
            )
        known: Mapping[str, Any] = resource["properties"]
        if known.get("datastoreType") not in _KINDS:
            raise JobError(
                f"datastore {name}",
                f"it is of the kind {known.get('datastoreType')}, which is no container of blobs",
                "Name a datastore of blobs or of Data Lake Gen2.",
            )
        suffix = known.get("endpoint") or workspace.cloud.storage_suffix
        container = known.get("containerName") or known.get("filesystem")
        address = f"https://{known['accountName']}.blob.{suffix}/{container}"
        sas = ""
        if known.get("credentials", {}).get("credentialsType") not in _IDENTITY_BASED:
            sas = self._sas(name, str(known["accountName"]), str(container))
        scope = workspace.cloud.storage_scope
        return Container(workspace.connection, address, sas, scope)

    def _sas(self, name: str, account: str, container: str) -> str:
        try:
            secrets = self._workspace.post(
                # For a short-lived signature in place of the key, where the service makes them.
                *("datastores", name, "listSecrets"),
                body={"expirableSecret": True, "expireAfterHours": 1},
            )
        except ServiceError as error:
            if error.status_code != 403:
                raise
            return ""
        if secrets.get("sasToken"):
            return str(secrets["sasToken"]).lstrip("?")
        key = str(secrets.get("key") or "")
        return sas_of_key(account, container, key) if key else ""

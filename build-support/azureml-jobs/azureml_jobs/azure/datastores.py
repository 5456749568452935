"""Datastores of a workspace: where they are, and how they may be read and written."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from azureml_jobs.azure.blobs import Container, CopySource, sas_of_key
from azureml_jobs.azure.parallel import BackgroundCall
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, Workspace
from azureml_jobs.base.errors import JobError

_PATH = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?"
    r"/workspaces/[^/]+/)?datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)"
)
_BY_KEY = "AccountKey"
_IDENTITY_BASED = frozenset({"None", "ServicePrincipal", "Certificate"})
# A hierarchical account answers the protocol of blobs as well.
_KINDS = frozenset({"AzureBlob", "AzureDataLakeGen2"})
# How long storage may read an earlier snapshot.
_READ_HOURS = 1.0


@dataclass(frozen=True)
class Place:
    """A path in a container: without a slash at its begin."""

    container: Container
    path: str


class AccountReader:
    """Lets storage read any container of one account, by the account's key or the user's token.

    `address` is `https://account.blob…`, as that of a container begins.
    """

    def __init__(self, address: str, account: str, key: str, token: str) -> None:
        self.address = address
        self._account = account
        self._key = key
        self._token = token
        self._signatures: dict[str, str] = {}

    def source(self, container: str, name: str) -> CopySource:
        url = f"{self.address}/{container}/{quote(name)}"
        if not self._key:
            return CopySource(url, self._token)
        if container not in self._signatures:
            self._signatures[container] = sas_of_key(
                self._account, container, self._key, "r", _READ_HOURS
            )
        return CopySource(f"{url}?{self._signatures[container]}")


class Datastores:
    """From any thread. Each datastore is asked for once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, str], BackgroundCall[Any]] = {}

    def default(self) -> Container:
        return self.open(DEFAULT_DATASTORE)

    def open(self, name: str) -> Container:
        """The container of a datastore, with whatever credentials it has.

        A key or a signature comes from the datastore; where it has none, or we may not see it, the
        user's own account is used. Raises `JobError` for a datastore that is no container.
        """
        container: Container = self._once("container", name, self._open)
        return container

    def account_reader(self) -> AccountReader | None:
        """How any container of the default datastore's account is read; None when none may be."""
        try:
            known = self._known(DEFAULT_DATASTORE)
            account = str(known["accountName"])
            address = f"https://{account}.blob.{self._suffix(known)}"
            key = self._key(DEFAULT_DATASTORE)
            scope = self._workspace.cloud.storage_scope
            token = "" if key else self._workspace.connection.token(scope)
        except JobError:
            return None
        return AccountReader(address, account, key, token)

    def place_of(self, address: str) -> Place | None:
        """What an `azureml://…/datastores/…/paths/…` address means; None for another address."""
        match = _PATH.fullmatch(address)
        return Place(self.open(match["datastore"]), match["path"]) if match else None

    def _once(self, what: str, name: str, call: Callable[[str], Any]) -> Any:
        with self._lock:
            if (what, name) not in self._asked:
                self._asked[what, name] = BackgroundCall(lambda: call(name))
            asked = self._asked[what, name]
        return asked.result()

    def _open(self, name: str) -> Container:
        known = self._known(name)
        container = known.get("containerName") or known.get("filesystem")
        address = f"https://{known['accountName']}.blob.{self._suffix(known)}/{container}"
        sas = ""
        if known.get("credentials", {}).get("credentialsType") not in _IDENTITY_BASED:
            sas = self._sas(name, str(known["accountName"]), str(container))
        scope = self._workspace.cloud.storage_scope
        return Container(self._workspace.connection, address, sas, scope)

    def _suffix(self, known: Mapping[str, Any]) -> str:
        return str(known.get("endpoint") or self._workspace.cloud.storage_suffix)

    def _known(self, name: str) -> Mapping[str, Any]:
        known: Mapping[str, Any] = self._once("properties", name, self._properties)
        return known

    def _properties(self, name: str) -> Mapping[str, Any]:
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
        return known

    def _sas(self, name: str, account: str, container: str) -> str:
        # A short-lived signature in place of the key, where the service makes them.
        secrets = self._secrets(name, {"expirableSecret": True, "expireAfterHours": 1})
        if secrets.get("sasToken"):
            return str(secrets["sasToken"]).lstrip("?")
        key = str(secrets.get("key") or "")
        return sas_of_key(account, container, key) if key else ""

    def _key(self, name: str) -> str:
        """The account's key; empty where the datastore has none, or we may not see it."""
        if self._known(name).get("credentials", {}).get("credentialsType") != _BY_KEY:
            return ""
        return str(self._secrets(name, {"expirableSecret": False}).get("key") or "")

    def _secrets(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            secrets: Mapping[str, Any] = self._workspace.post(
                *("datastores", name, "listSecrets"), body=body
            )
        except ServiceError as error:
            if error.status_code != 403:
                raise
            return {}
        return secrets

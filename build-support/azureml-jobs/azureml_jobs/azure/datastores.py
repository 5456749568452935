"""Datastores of a workspace: where they are, and what gives access to them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from azureml_jobs.azure.blobs import Container, CopySource
from azureml_jobs.azure.parallel import BackgroundCall
from azureml_jobs.azure.sas import sas_of_key
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, ConnectedWorkspace
from azureml_jobs.base.errors import JobError

_PATH = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?"
    r"/workspaces/[^/]+/)?datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)"
)
_BY_KEY = "AccountKey"
_IDENTITY_BASED = frozenset({"None", "ServicePrincipal", "Certificate"})
# A hierarchical account understands the protocol of blobs as well.
_KINDS = frozenset({"AzureBlob", "AzureDataLakeGen2"})
# How long storage may read an earlier snapshot.
_READ_HOURS = 1.0


@dataclass(frozen=True)
class DatastorePath:
    """A path in a container, without a slash at its start."""

    container: Container
    path: str


class AccountReader:
    """Lets storage read any container of one account, by the account's key or the user's token.

    `address` is `https://account.blob…`, with which those of its containers begin.
    """

    def __init__(self, address: str, account: str, key: str, token: str) -> None:
        self.address = address
        self._account = account
        self._key = key
        self._token = token
        self._signatures: dict[str, str] = {}

    def source(self, container: str, name: str) -> CopySource:
        url = f"{self.address}/{container}/{quote(name)}"
        signature = self.signature(container)
        return CopySource(f"{url}?{signature}") if signature else CopySource(url, self._token)

    def signature(self, container: str) -> str:
        """Return what lets its bearer list and read a container; empty without a key."""
        if self._key and container not in self._signatures:
            self._signatures[container] = sas_of_key(
                self._account, container, self._key, "rl", _READ_HOURS
            )
        return self._signatures.get(container, "")


class Datastores:
    """Looks each datastore up once; from any thread."""

    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, str], BackgroundCall[Any]] = {}

    def default(self) -> Container:
        return self.open(DEFAULT_DATASTORE)

    def open(self, name: str) -> Container:
        """Return the container of a datastore, with whatever credentials it has.

        A key or a signature comes from the datastore; where it has none, or we may not see it, the
        user's own account is used. Raises `JobError` for a datastore that is no container.
        """
        container: Container = self._once("container", name, self._open)
        return container

    def account_reader(self) -> AccountReader | None:
        """Return how the default datastore's account is read; None when we may not read it."""
        try:
            properties = self._known(DEFAULT_DATASTORE)
            account = str(properties["accountName"])
            address = f"https://{account}.blob.{self._suffix(properties)}"
            key = self._key(DEFAULT_DATASTORE)
            scope = self._workspace.cloud.storage_scope
            token = "" if key else self._workspace.connection.token(scope)
        except JobError:
            return None
        return AccountReader(address, account, key, token)

    def resolve(self, address: str) -> DatastorePath | None:
        """Resolve `azureml://…/datastores/…/paths/…`; return None for another address.

        Code is in other containers of the default datastore's account, named by `https:`.
        """
        match = _PATH.fullmatch(address)
        if match:
            return DatastorePath(self.open(match["datastore"]), match["path"])
        reader = self.account_reader() if address.startswith("https:") else None
        if reader is None or not address.startswith(f"{reader.address}/"):
            return None
        name, _, path = address.removeprefix(f"{reader.address}/").partition("/")
        return DatastorePath(self._container(reader, name), path)

    def _container(self, reader: AccountReader, name: str) -> Container:
        scope = self._workspace.cloud.storage_scope
        sas = reader.signature(name)
        return Container(self._workspace.connection, f"{reader.address}/{name}", sas, scope)

    def _once(self, what: str, name: str, call: Callable[[str], Any]) -> Any:
        with self._lock:
            if (what, name) not in self._lookups:
                self._lookups[what, name] = BackgroundCall(lambda: call(name))
            lookup = self._lookups[what, name]
        return lookup.result()

    def _open(self, name: str) -> Container:
        properties = self._known(name)
        container = properties.get("containerName") or properties.get("filesystem")
        address = f"https://{properties['accountName']}.blob.{self._suffix(properties)}/{container}"
        sas = ""
        if properties.get("credentials", {}).get("credentialsType") not in _IDENTITY_BASED:
            sas = self._sas(name, str(properties["accountName"]), str(container))
        scope = self._workspace.cloud.storage_scope
        return Container(self._workspace.connection, address, sas, scope)

    def _suffix(self, properties: Mapping[str, Any]) -> str:
        return str(properties.get("endpoint") or self._workspace.cloud.storage_suffix)

    def _known(self, name: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._once("properties", name, self._properties)
        return properties

    def _properties(self, name: str) -> Mapping[str, Any]:
        workspace = self._workspace
        resource = workspace.get("datastores", name)
        if resource is None:
            raise JobError(
                f"datastore {name}",
                f"{workspace.config.name} has no such datastore",
                "Look at the names in the studio, below Data.",
            )
        properties: Mapping[str, Any] = resource["properties"]
        if properties.get("datastoreType") not in _KINDS:
            raise JobError(
                f"datastore {name}",
                f"its type is {properties.get('datastoreType')}, which is no container of blobs",
                "Name a datastore for blobs or for Data Lake Gen2.",
            )
        return properties

    def _sas(self, name: str, account: str, container: str) -> str:
        # A short-lived signature in place of the key, where the service makes them.
        secrets = self._secrets(name, {"expirableSecret": True, "expireAfterHours": 1})
        if secrets.get("sasToken"):
            return str(secrets["sasToken"]).lstrip("?")
        key = str(secrets.get("key") or "")
        return sas_of_key(account, container, key) if key else ""

    def _key(self, name: str) -> str:
        """Return the account's key; empty where the datastore has none, or we may not see it."""
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

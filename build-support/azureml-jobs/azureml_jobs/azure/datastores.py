"""Datastores of a workspace: where they are, and what gives access to them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from azureml_jobs.azure.blobs import Container, CopySource
from azureml_jobs.azure.sas import sas_of_key
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, ConnectedWorkspace
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.parallel import BackgroundCall

_PATH = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?"
    r"/workspaces/[^/]+/)?datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)"
)
_BY_KEY = "AccountKey"
# The kinds of secrets that open a container, and where the answer has them.
_SECRETS = {"AccountKey": "key", "Sas": "sasToken"}
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


class Account:
    """Any container of one account, by the account's key or else by the user's own tokens.

    `address` is `https://account.blob…`, with which those of its containers begin.
    """

    def __init__(self, workspace: ConnectedWorkspace, address: str, name: str, key: str) -> None:
        self.address = address
        self._connection = workspace.connection
        self._scope = workspace.cloud.storage_scope
        self._name = name
        self._key = key
        self._signatures: dict[str, str] = {}

    def copy_source(self, container: str, name: str) -> CopySource:
        """Return a blob that storage may read for this user. Raises `ServiceError`."""
        url = f"{self.address}/{container}/{quote(name)}"
        if not self._key:
            return CopySource(url, self._connection.token(self._scope, url))
        if container not in self._signatures:
            self._signatures[container] = sas_of_key(
                self._name, container, self._key, "r", _READ_HOURS
            )
        return CopySource(f"{url}?{self._signatures[container]}")

    def find(self, address: str) -> DatastorePath | None:
        """Return where an `https:` address is; None when it is not in this account."""
        base = f"{self.address}/"
        if not address.startswith(base):
            return None
        container, _, path = unquote(address[len(base) :]).partition("/")
        sas = sas_of_key(self._name, container, self._key) if self._key else ""
        url = f"{self.address}/{container}"
        return DatastorePath(Container(self._connection, url, sas, self._scope), path)


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

    def account(self) -> Account:
        """Return the account of the default datastore."""
        account: Account = self._once("account", DEFAULT_DATASTORE, self._account)
        return account

    def resolve(self, address: str) -> DatastorePath | None:
        """Resolve `azureml://…/datastores/…/paths/…`; return None for another address.

        Code is in other containers of the default datastore's account, named by `https:`.
        """
        match = _PATH.fullmatch(address)
        if match:
            return DatastorePath(self.open(match["datastore"]), match["path"])
        return self.account().find(address) if address.startswith("https:") else None

    def _once(self, what: str, name: str, call: Callable[[str], Any]) -> Any:
        with self._lock:
            if (what, name) not in self._lookups:
                self._lookups[what, name] = BackgroundCall(lambda: call(name))
            lookup = self._lookups[what, name]
        return lookup.result()

    def _account(self, name: str) -> Account:
        properties = self._known(name)
        account = str(properties["accountName"])
        address = f"https://{account}.blob.{self._suffix(properties)}"
        return Account(self._workspace, address, account, self._key(name))

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
        path = ("datastores", name, "listSecrets")
        try:
            try:
                found = self._workspace.post(*path, body=body)
            except ServiceError as error:
                if error.status_code != 400:
                    raise
                # Older interfaces take no body.
                found = self._workspace.post(*path, body={})
        except ServiceError as error:
            if error.status_code != 403:
                raise
            return {}
        secret = _SECRETS.get(found["secretsType"])
        return {secret: found[secret]} if secret else {}

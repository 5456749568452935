"""Datastores of a workspace: where they are, and what gives access to them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.blobs import SCOPE, Container, CopySource, sas_of_key
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, ConnectedWorkspace
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.parallel import BackgroundCall

Value = TypeVar("Value")

_PATH = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?"
    r"/workspaces/[^/]+/)?datastores/(?P<datastore>[^/]+)/(?:paths/)?(?P<path>.*)"
)
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


@dataclass(frozen=True)
class Account:
    """Any container of one account, by the account's key or else by the user's own tokens.

    `address` is `https://account.blob…`, with which those of its containers begin.
    """

    _workspace: ConnectedWorkspace
    address: str
    _name: str
    _key: str

    def copy_source(self, container: str, name: str) -> CopySource:
        """Return a blob that storage may read for this user. Raises `ServiceError`."""
        url = f"{self.address}/{container}/{quote(name)}"
        if not self._key:
            return CopySource(url, self._workspace.connection.token(SCOPE, "GET", url) or "")
        sas = sas_of_key(self._name, container, self._key, "r", _READ_HOURS)
        return CopySource(f"{url}?{sas}")

    def find(self, address: str) -> DatastorePath | None:
        """Return where an `https:` address is; None when it is not in this account."""
        if not address.startswith(f"{self.address}/"):
            return None
        container, _, path = unquote(address[len(self.address) + 1 :]).partition("/")
        sas = sas_of_key(self._name, container, self._key) if self._key else ""
        url = f"{self.address}/{container}"
        return DatastorePath(Container(self._workspace.connection, url, sas), path)


class Datastores:
    """Looks each datastore up once; from any thread."""

    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self.workspace = workspace
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, str], BackgroundCall[Any]] = {}

    def open(self, name: str = DEFAULT_DATASTORE) -> Container:
        """Return the container of a datastore, with whatever credentials it has.

        A key or a signature comes from the datastore; where it has none, or we may not see it, the
        user's own account is used. Raises `JobError` for a datastore that is no container.
        """
        return self._once(self._container, name)

    def account(self) -> Account:
        """Return the account of the default datastore."""
        return self._once(self._account, DEFAULT_DATASTORE)

    def resolve(self, address: str) -> DatastorePath:
        """Resolve `azureml://…/datastores/…/paths/…`. Raises `JobError` for another address.

        Code is in other containers of the default datastore's account, named by `https:`.
        """
        if match := _PATH.fullmatch(address):
            return DatastorePath(self.open(match["datastore"]), match["path"])
        if address.startswith("https:") and (found := self.account().find(address)):
            return found
        raise JobError(address, "only data of a datastore can be downloaded", "Fetch it yourself.")

    def _once(self, call: Callable[[str], Value], name: str) -> Value:
        with self._lock:
            key = (call.__name__, name)
            if key not in self._lookups:
                self._lookups[key] = BackgroundCall(partial(call, name))
            lookup: BackgroundCall[Value] = self._lookups[key]
        return lookup.result()

    def _account(self, name: str) -> Account:
        account, key = str(self._properties_of(name)["accountName"]), ""
        if self._credentials_of(name) == "AccountKey":
            key = self._secret(name, {"expirableSecret": False}).get("key", "")
        return Account(self.workspace, self._address_of(name), account, key)

    def _container(self, name: str) -> Container:
        properties = self._properties_of(name)
        container = str(properties.get("containerName") or properties.get("filesystem"))
        sas = ""
        if self._credentials_of(name) not in _IDENTITY_BASED:
            # A short-lived signature in place of the key, where the service makes them.
            secret = self._secret(name, {"expirableSecret": True, "expireAfterHours": 1})
            sas = secret.get("sasToken", "").lstrip("?")
            if key := secret.get("key"):
                sas = sas_of_key(str(properties["accountName"]), container, key)
        address = f"{self._address_of(name)}/{container}"
        return Container(self.workspace.connection, address, sas)

    def _address_of(self, name: str) -> str:
        properties = self._properties_of(name)
        suffix = properties.get("endpoint") or self.workspace.cloud.storage_suffix
        return f"https://{properties['accountName']}.blob.{suffix}"

    def _credentials_of(self, name: str) -> Any:
        return self._properties_of(name).get("credentials", {}).get("credentialsType")

    def _properties_of(self, name: str) -> Mapping[str, Any]:
        return self._once(self._properties, name)

    def _properties(self, name: str) -> Mapping[str, Any]:
        resource = self.workspace.get("datastores", name)
        if resource is None:
            raise JobError(
                f"datastore {name}",
                f"{self.workspace.config.name} has no such datastore",
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

    def _secret(self, name: str, body: Mapping[str, Any]) -> Mapping[str, str]:
        """Return a key or a signature by its kind; empty where we may see none."""
        path = ("datastores", name, "listSecrets")
        try:
            try:
                found = self.workspace.post(*path, body=body)
            except ServiceError as error:
                if error.status_code != 400:
                    raise
                # Older interfaces take no body.
                found = self.workspace.post(*path, body={})
        except ServiceError as error:
            if error.status_code != 403:
                raise
            return {}
        kind = _SECRETS.get(found["secretsType"])
        return {kind: str(found[kind])} if kind else {}

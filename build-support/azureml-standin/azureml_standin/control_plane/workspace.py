"""The workspace in Azure Resource Manager, with its datastores, computes and registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azureml_standin.clouds import REGION, REGISTRY, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.resources import BLOB_STORE, DATASTORES, PLACE, WORKSPACE
from azureml_standin.http.messages import HttpError, HttpRequest
from azureml_standin.http.routing import Handler, Route, route
from azureml_standin.sign_in.tokens import Tokens
from azureml_standin.state import State
from azureml_standin.storage.access import READ_WRITE, StorageAccess

_REGISTRY = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    f"/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}"
)
_REGISTRY_ID = _REGISTRY.format(**PLACE)


@dataclass(eq=False)
class ControlPlane:
    """The workspace.

    computes: names that exist. audiences: of tokens for it. datastore_credentials: how datastores
    are signed in to: `AccountKey`, `Sas`, or `None` for the caller's own identity. has_registry:
    whether the workspace has a registry of images yet.
    """

    state: State
    tokens: Tokens
    access: StorageAccess
    computes: Sequence[str]
    audiences: Sequence[str]
    datastore_credentials: str = "AccountKey"
    has_registry: bool = True

    def __post_init__(self) -> None:
        for container in DATASTORES.values():
            self.state.add_container(container)

    def authorized(self, routes: Sequence[Route], *audiences: str) -> list[Route]:
        """Let routes be for our workspace alone, and for who is signed in.

        A token may be for the resource manager, or for one of `audiences`, which know no versions
        of an API.
        """

        def checked(handler: Handler) -> Handler:
            def respond(request: HttpRequest, **segments: str) -> Any:
                self.tokens.check(request, (*self.audiences, *audiences))
                if not audiences:
                    resources.check_api_version(request)
                self._check_workspace(segments)
                return handler(request, **segments)

            return respond

        return [Route(each.method, each.pattern, checked(each.handler)) for each in routes]

    def _check_workspace(self, segments: dict[str, str]) -> None:
        """Take out of the segments of a path where the workspace is. Raises `HttpError` 404."""
        for code, key, what in (
            ("SubscriptionNotFound", "subscription", "subscription"),
            ("ResourceGroupNotFound", "group", "resource group"),
            ("ResourceNotFound", "workspace", "resource"),
        ):
            own = PLACE[key]
            given = segments.pop(key, own)
            if given.lower() != own.lower():
                raise HttpError(404, code, f"The {what} '{given}' could not be found.")

    @route("GET", WORKSPACE)
    def get_workspace(self, request: HttpRequest) -> dict[str, Any]:
        base = Names.of(request).data_plane
        tracking = f"azureml://{base.partition('://')[2]}/mlflow/v1.0{resources.WORKSPACE_ID}"
        properties = {
            "discoveryUrl": f"{base}/discovery",
            "mlFlowTrackingUri": tracking,
            "containerRegistry": _REGISTRY_ID if self.has_registry else None,
        }
        return {**resources.resource("", properties), "location": REGION}

    @route("GET", _REGISTRY)
    def get_registry(self, request: HttpRequest) -> dict[str, Any]:
        """Shape: https://learn.microsoft.com/rest/api/containerregistry/registries/get"""
        if not self.has_registry:
            raise resources.not_found(f"Microsoft.ContainerRegistry/registries/{REGISTRY}")
        return {"properties": {"loginServer": Names.of(request).registry}}

    def discover(self, request: HttpRequest) -> dict[str, str]:
        """Say where the data plane is, without a token (`JobOperations._get_workspace_url`)."""
        base = Names.of(request).data_plane
        return {key: base for key in ("api", "history", "experimentation", "catalog", "studio")}

    @route("GET", f"{WORKSPACE}/datastores")
    def list_datastores(self, request: HttpRequest) -> dict[str, Any]:
        only_default = request.query.get("isDefault", "").lower() == "true"
        names = [BLOB_STORE] if only_default else sorted(DATASTORES)
        return resources.page(request, [self.get_datastore(request, name) for name in names])

    @route("GET", f"{WORKSPACE}/datastores/{{name}}")
    def get_datastore(self, request: HttpRequest, name: str) -> dict[str, Any]:
        if name not in DATASTORES:
            raise resources.not_found(f"datastores/{name}")
        names = Names.of(request)
        properties = {
            "datastoreType": "AzureBlob",
            "accountName": names.account,
            "containerName": DATASTORES[name],
            "endpoint": names.storage.partition(".blob.")[2],
            "protocol": "https",
            "credentials": {"credentialsType": self.datastore_credentials},
            "isDefault": name == BLOB_STORE,
        }
        return resources.resource(f"/datastores/{name}", properties)

    @route("POST", f"{WORKSPACE}/datastores/{{name}}/listSecrets")
    def list_secrets(self, request: HttpRequest, name: str) -> Mapping[str, str]:
        self.get_datastore(request, name)
        if self.datastore_credentials == "Sas":
            token = self.access.signature(DATASTORES[name], f"{READ_WRITE}d")
            return {"secretsType": "Sas", "sasToken": token}
        if self.datastore_credentials == "AccountKey":
            return {"secretsType": "AccountKey", "key": self.access.key}
        raise resources.user_error(
            "The datastore has no credentials: it uses the identity of the caller."
        )

    @route("GET", f"{WORKSPACE}/computes")
    def list_computes(self, request: HttpRequest) -> dict[str, Any]:
        return resources.page(request, [self.get_compute(request, name) for name in self.computes])

    @route("GET", f"{WORKSPACE}/computes/{{name}}")
    def get_compute(self, request: HttpRequest, name: str) -> dict[str, Any]:
        if name not in self.computes:
            raise resources.not_found(f"computes/{name}")
        properties = {
            "computeType": "AmlCompute",
            "provisioningState": "Succeeded",
            # azure-ai-ml fails without them.
            "properties": {},
        }
        return resources.resource(f"/computes/{name}", properties)

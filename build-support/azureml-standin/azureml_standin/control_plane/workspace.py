"""Azure Resource Manager as far as jobs need it: workspace, datastores, computes; and who may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from azureml_standin.clouds import ACCOUNT, ARM_AUDIENCES, REGION, REGISTRY, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route, Router
from azureml_standin.sign_in.tokens import Tokens
from azureml_standin.state import State
from azureml_standin.storage.access import READ_WRITE, StorageAccess

BLOB_STORE = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
BLOB_CONTAINER = "azureml-blobstore-standin"
ARTIFACT_CONTAINER = "azureml"
_DATASTORES = {BLOB_STORE: BLOB_CONTAINER, ARTIFACT_STORE: ARTIFACT_CONTAINER}

REGISTRY_RESOURCE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.ContainerRegistry/registries/{registry}"
)

ACCOUNT_KEY = "AccountKey"
SAS = "Sas"
IDENTITY = "None"


class ControlPlane:
    """One workspace.

    computes: names that exist; None takes every name. datastore_credentials: how datastores are
    signed in to: `AccountKey`, `Sas`, or `None` for the caller's own identity. has_registry:
    whether the workspace has a registry of images yet.
    """

    def __init__(
        self,
        workspace: WorkspaceAddress,
        state: State,
        tokens: Tokens,
        access: StorageAccess,
        computes: Sequence[str] | None,
        audiences: Sequence[str],
    ) -> None:
        self.workspace = workspace
        self.state = state
        self.tokens = tokens
        self.access = access
        self.computes = computes
        self.audiences = (*ARM_AUDIENCES, *audiences)
        self.datastore_credentials = ACCOUNT_KEY
        self.has_registry = True
        for container in _DATASTORES.values():
            state.add_container(container)

    def routes(self) -> list[Route]:
        return [
            Route("GET", WORKSPACE, self.get_workspace),
            Route("GET", f"{WORKSPACE}/datastores", self.list_datastores),
            Route("GET", f"{WORKSPACE}/datastores/{{name}}", self.get_datastore),
            Route("POST", f"{WORKSPACE}/datastores/{{name}}/listSecrets", self.list_secrets),
            Route("GET", f"{WORKSPACE}/computes", self.list_computes),
            Route("GET", f"{WORKSPACE}/computes/{{name}}", self.get_compute),
        ]

    def authorized(self, routes: Sequence[Route]) -> Router:
        """A router that lets only those through who are signed in, and ask for our workspace."""
        return Router(
            [Route(each.method, each.pattern, self._authorized(each.handler)) for each in routes]
        )

    def _authorized(self, handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def respond(
            request: HttpRequest, subscription: str, group: str, workspace: str, **places: str
        ) -> HttpResponse:
            self.tokens.check(request, self.audiences)
            resources.check_api_version(request)
            self.check_workspace(subscription, group, workspace)
            return handler(request, workspace=self.workspace, **places)

        return respond

    def check_workspace(self, subscription: str, group: str, workspace: str) -> None:
        ours = self.workspace
        if subscription.lower() != ours.subscription.lower():
            raise HttpError(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
            )
        if group.lower() != ours.group.lower():
            raise HttpError(
                404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found."
            )
        if workspace.lower() != ours.name.lower():
            raise HttpError(
                404,
                "ResourceNotFound",
                f"The Resource '{resources.PROVIDER}/workspaces/{workspace}' under resource group "
                f"'{group}' was not found.",
            )

    def get_workspace(self, request: HttpRequest, workspace: WorkspaceAddress) -> HttpResponse:
        names = Names.of(request)
        host = names.data_plane.partition("://")[2]
        content = resources.resource(
            workspace.id,
            "workspaces",
            {
                "friendlyName": workspace.name,
                "description": "A stand-in for a workspace, on this machine",
                "discoveryUrl": f"{names.data_plane}/discovery",
                "mlFlowTrackingUri": f"azureml://{host}/mlflow/v1.0{workspace.id}",
                "storageAccount": (
                    f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.group}"
                    f"/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}"
                ),
                "containerRegistry": self._registry_id() if self.has_registry else None,
                "keyVault": None,
                "applicationInsights": None,
                "tenantId": self.tokens.tenant,
                "workspaceId": workspace.subscription,
                "provisioningState": "Succeeded",
                "publicNetworkAccess": "Disabled",
                "hbiWorkspace": False,
            },
            "2024-01-01T00:00:00Z",
        )
        content.update(
            location=REGION, kind="Default", tags={}, identity={"type": "SystemAssigned"}
        )
        return json_response(content)

    def get_registry(
        self, request: HttpRequest, subscription: str, group: str, registry: str
    ) -> HttpResponse:
        """Shape: https://learn.microsoft.com/rest/api/containerregistry/registries/get"""
        self.tokens.check(request, self.audiences)
        resources.check_api_version(request)
        self.check_workspace(subscription, group, self.workspace.name)
        if registry.lower() != REGISTRY or not self.has_registry:
            raise resources.not_found(f"Microsoft.ContainerRegistry/registries/{registry}")
        properties = {
            "loginServer": Names.of(request).registry,
            "creationDate": "2024-01-01T00:00:00Z",
            "provisioningState": "Succeeded",
            "adminUserEnabled": False,
        }
        content = {
            "id": self._registry_id(),
            "name": REGISTRY,
            "type": "Microsoft.ContainerRegistry/registries",
            "location": REGION,
            "sku": {"name": "Standard", "tier": "Standard"},
            "properties": properties,
        }
        return json_response(content)

    def _registry_id(self) -> str:
        return REGISTRY_RESOURCE.format(
            subscription=self.workspace.subscription,
            group=self.workspace.group,
            registry=REGISTRY,
        )

    def discover(self, request: HttpRequest) -> HttpResponse:
        """Where the data plane is; asked without a token (`JobOperations._get_workspace_url`)."""
        base = Names.of(request).data_plane
        return json_response(
            {key: base for key in ("api", "history", "experimentation", "catalog", "studio")}
        )

    def list_datastores(self, request: HttpRequest, workspace: WorkspaceAddress) -> HttpResponse:
        only_default = request.query.get("isDefault", "").lower() == "true"
        names = [BLOB_STORE] if only_default else sorted(_DATASTORES)
        return resources.page(
            request, [self._datastore(request, workspace, name) for name in names]
        )

    def get_datastore(
        self, request: HttpRequest, workspace: WorkspaceAddress, name: str
    ) -> HttpResponse:
        return json_response(self._datastore(request, workspace, name))

    def list_secrets(
        self, request: HttpRequest, workspace: WorkspaceAddress, name: str
    ) -> HttpResponse:
        self._datastore(request, workspace, name)
        if request.body.size:
            request.json()
        if self.datastore_credentials == SAS:
            token = self.access.signature(_DATASTORES[name], f"{READ_WRITE}d")
            return json_response({"secretsType": SAS, "sasToken": token})
        if self.datastore_credentials == ACCOUNT_KEY:
            return json_response({"secretsType": ACCOUNT_KEY, "key": self.access.key})
        raise resources.user_error("The datastore has no credentials, it goes by identity.")

    def list_computes(self, request: HttpRequest, workspace: WorkspaceAddress) -> HttpResponse:
        names = ("cpu-cluster",) if self.computes is None else self.computes
        return resources.page(request, [_compute(workspace, name) for name in names])

    def get_compute(
        self, request: HttpRequest, workspace: WorkspaceAddress, name: str
    ) -> HttpResponse:
        if not self.has_compute(name):
            raise resources.not_found(f"computes/{name}")
        return json_response(_compute(workspace, name))

    def has_compute(self, name: str) -> bool:
        return self.computes is None or name in self.computes

    def _datastore(
        self, request: HttpRequest, workspace: WorkspaceAddress, name: str
    ) -> dict[str, Any]:
        if name not in _DATASTORES:
            raise resources.not_found(f"datastores/{name}")
        names = Names.of(request)
        return resources.resource(
            f"{workspace.id}/datastores/{name}",
            "workspaces/datastores",
            {
                "datastoreType": "AzureBlob",
                "accountName": names.account,
                "containerName": _DATASTORES[name],
                "endpoint": names.storage.partition(".blob.")[2],
                "protocol": "https",
                "credentials": {"credentialsType": self.datastore_credentials},
                "isDefault": name == BLOB_STORE,
                "serviceDataAccessAuthIdentity": "None",
                "subscriptionId": workspace.subscription,
                "resourceGroup": workspace.group,
                "description": None,
                "tags": {},
                "properties": {},
            },
            "2024-01-01T00:00:00Z",
        )


def _compute(workspace: WorkspaceAddress, name: str) -> dict[str, Any]:
    return {
        **resources.resource(
            f"{workspace.id}/computes/{name}",
            "workspaces/computes",
            {
                "computeType": "AmlCompute",
                "computeLocation": REGION,
                "provisioningState": "Succeeded",
                "isAttachedCompute": False,
                "properties": {
                    "vmSize": "STANDARD_DS3_V2",
                    "vmPriority": "Dedicated",
                    "allocationState": "Steady",
                    "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1},
                    "osType": "Linux",
                },
            },
            "2024-01-01T00:00:00Z",
        ),
        "location": REGION,
    }

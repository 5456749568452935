"""The workspace in Azure Resource Manager, with its datastores and computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from azureml_standin.clouds import ARM_AUDIENCES, REGISTRY, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.descriptions import (
    BLOB_STORE,
    DATASTORES,
    compute_resource,
    datastore_resource,
    registry_resource,
    workspace_resource,
)
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.sign_in.tokens import Tokens
from azureml_standin.state import State
from azureml_standin.storage.access import READ_WRITE, StorageAccess

REGISTRY_RESOURCE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.ContainerRegistry/registries/{registry}"
)

ACCOUNT_KEY = "AccountKey"
SAS = "Sas"


class ControlPlane:
    """One workspace.

    computes: names that exist. datastore_credentials: how datastores are
    signed in to: `AccountKey`, `Sas`, or `None` for the caller's own identity. has_registry:
    whether the workspace has a registry of images yet.
    """

    def __init__(
        self,
        workspace: WorkspaceAddress,
        state: State,
        tokens: Tokens,
        access: StorageAccess,
        computes: Sequence[str],
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
        for container in DATASTORES.values():
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

    def authorized(self, routes: Sequence[Route], *audiences: str) -> list[Route]:
        """Let routes be for our workspace alone, and for who is signed in.

        A token may be for the resource manager, or for one of `audiences`, which know no versions
        of an API.
        """

        def checked(handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            def respond(
                request: HttpRequest, subscription: str, group: str, workspace: str, **segments: str
            ) -> HttpResponse:
                self.tokens.check(request, (*self.audiences, *audiences))
                if not audiences:
                    resources.check_api_version(request)
                self.check_workspace(subscription, group, workspace)
                return handler(request, **segments)

            return respond

        return [Route(each.method, each.pattern, checked(each.handler)) for each in routes]

    def check_workspace(self, subscription: str, group: str, workspace: str) -> None:
        ours = self.workspace
        for code, what, given, own in (
            ("SubscriptionNotFound", "subscription", subscription, ours.subscription),
            ("ResourceGroupNotFound", "resource group", group, ours.group),
            ("ResourceNotFound", "resource", workspace, ours.name),
        ):
            if given.lower() != own.lower():
                raise HttpError(404, code, f"The {what} '{given}' could not be found.")

    def get_workspace(self, request: HttpRequest) -> HttpResponse:
        registry = self._registry_id() if self.has_registry else None
        content = workspace_resource(
            Names.of(request), self.workspace, self.tokens.tenant, registry
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
        return json_response(registry_resource(Names.of(request), self._registry_id()))

    def _registry_id(self) -> str:
        return REGISTRY_RESOURCE.format(
            subscription=self.workspace.subscription,
            group=self.workspace.group,
            registry=REGISTRY,
        )

    def discover(self, request: HttpRequest) -> HttpResponse:
        """Say where the data plane is, without a token (`JobOperations._get_workspace_url`)."""
        base = Names.of(request).data_plane
        return json_response(
            {key: base for key in ("api", "history", "experimentation", "catalog", "studio")}
        )

    def list_datastores(self, request: HttpRequest) -> HttpResponse:
        only_default = request.query.get("isDefault", "").lower() == "true"
        names = [BLOB_STORE] if only_default else sorted(DATASTORES)
        return resources.page(request, [self._datastore(request, name) for name in names])

    def get_datastore(self, request: HttpRequest, name: str) -> HttpResponse:
        return json_response(self._datastore(request, name))

    def list_secrets(self, request: HttpRequest, name: str) -> HttpResponse:
        self._datastore(request, name)
        if self.datastore_credentials == SAS:
            token = self.access.signature(DATASTORES[name], f"{READ_WRITE}d")
            return json_response({"secretsType": SAS, "sasToken": token})
        if self.datastore_credentials == ACCOUNT_KEY:
            return json_response({"secretsType": ACCOUNT_KEY, "key": self.access.key})
        raise resources.user_error(
            "The datastore has no credentials: it uses the identity of the caller."
        )

    def list_computes(self, request: HttpRequest) -> HttpResponse:
        found = [compute_resource(self.workspace, name) for name in self.computes]
        return resources.page(request, found)

    def get_compute(self, request: HttpRequest, name: str) -> HttpResponse:
        if not self.has_compute(name):
            raise resources.not_found(f"computes/{name}")
        return json_response(compute_resource(self.workspace, name))

    def has_compute(self, name: str) -> bool:
        return name in self.computes

    def _datastore(self, request: HttpRequest, name: str) -> dict[str, Any]:
        if name not in DATASTORES:
            raise resources.not_found(f"datastores/{name}")
        return datastore_resource(
            Names.of(request),
            self.workspace,
            name,
            DATASTORES[name],
            self.datastore_credentials,
        )

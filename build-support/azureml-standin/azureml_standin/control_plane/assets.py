"""Versioned assets of a workspace: code, environments, data, models, components."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from azureml_standin.clouds import Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.asset_checks import KINDS, check_properties, check_unchanged
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State
from azureml_standin.storage.access import StorageAccess


class Assets:
    """Assets of all kinds, which are named as in addresses: `codes`, `environments`, …"""

    def __init__(self, state: State, access: StorageAccess) -> None:
        self.state = state
        self.access = access

    def routes(self) -> list[Route]:
        found = []
        for kind in KINDS:
            base = f"{WORKSPACE}/{kind}"
            for method, path, handler in (
                ("GET", "", self.list_containers),
                ("GET", "/{name}", self.get_container),
                ("GET", "/{name}/versions", self.list_versions),
                ("GET", "/{name}/versions/{version}", self.get_version),
                ("PUT", "/{name}/versions/{version}", self.put_version),
                ("DELETE", "/{name}/versions/{version}", self.delete_version),
                ("POST", "/{name}/versions/{version}/startPendingUpload", self.start_upload),
            ):
                found.append(Route(method, base + path, _with_kind(kind, handler)))
        return found

    def version(
        self, workspace: WorkspaceAddress, kind: str, name: str, version: str
    ) -> dict[str, Any] | None:
        return self.state.document(kind, _key(workspace, name, version))

    def versions(self, workspace: WorkspaceAddress, kind: str, name: str) -> list[dict[str, Any]]:
        """Return versions in the order in which they were made."""
        return self.state.documents(kind, f"{_key(workspace, name)}/")

    def list_containers(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str
    ) -> HttpResponse:
        names: dict[str, dict[str, Any]] = {}
        for each in self.state.documents(kind, f"{_key(workspace)}/"):
            names[each["id"].rsplit("/", 3)[1]] = each
        return resources.page(
            request, [self._container(workspace, kind, name, names[name]) for name in names]
        )

    def get_container(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str, name: str
    ) -> HttpResponse:
        versions = self.versions(workspace, kind, name)
        if not versions:
            raise resources.not_found(f"{kind}/{name}")
        return json_response(self._container(workspace, kind, name, versions[-1]))

    def list_versions(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str, name: str
    ) -> HttpResponse:
        found = self.versions(workspace, kind, name)
        if "createdtime desc" in request.query.get("$orderBy", "").lower():
            found.reverse()
        if "hash" in request.query:
            found = self._by_hash(request, workspace, kind)
        view = request.query.get("listViewType", "ActiveOnly").lower()
        if view != "all":
            archived = view == "archivedonly"
            found = [
                each for each in found if bool(each["properties"].get("isArchived")) is archived
            ]
        if not found and not self.versions(workspace, kind, name) and kind != "codes":
            raise resources.not_found(f"{kind}/{name}")
        top = request.query.get("$top", "")
        return resources.page(request, found[: int(top)] if top.isdecimal() else found)

    def get_version(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str, name: str, version: str
    ) -> HttpResponse:
        found = self.version(workspace, kind, name, version)
        if found is None:
            raise resources.not_found(f"{kind}/{name}/versions/{version}")
        return json_response(found)

    def put_version(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str, name: str, version: str
    ) -> HttpResponse:
        resources.check_asset_name(name, version)
        properties = resources.properties_of(request)
        for key in ("tags", "properties"):
            properties[key] = resources.texts(properties, key)
        check_properties(kind, properties, self.state)
        with self.state.lock:
            present = self.version(workspace, kind, name, version)
            if present is not None:
                check_unchanged(present["properties"], properties, kind, name, version)
            kept = {**(present["properties"] if present else {}), **properties}
            kept["provisioningState"] = "Succeeded"
            made = resources.resource(
                f"{workspace.id}/{kind}/{name}/versions/{version}",
                f"workspaces/{kind}/versions",
                kept,
                present["systemData"]["createdAt"] if present else resources.now(),
            )
            self.state.put_document(kind, _key(workspace, name, version), made)
        return json_response(made, 200 if present else 201)

    def delete_version(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str, name: str, version: str
    ) -> HttpResponse:
        if self.version(workspace, kind, name, version) is None:
            return HttpResponse(204)
        self.state.remove_document(kind, _key(workspace, name, version))
        return HttpResponse(200)

    def start_upload(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str, name: str, version: str
    ) -> HttpResponse:
        """Give a container to upload to; the same one if this version asks again.

        `CreateOrGetStartPendingUpload` of the generated client.
        """
        resources.check_asset_name(name, version)
        kind_of_upload = request.json().get("pendingUploadType")
        if kind_of_upload not in ("TemporaryBlobReference", "None"):
            raise HttpError(400, "ValidationError", f"pendingUploadType is {kind_of_upload!r}.")
        key = _key(workspace, kind, name, version)
        with self.state.lock:
            pending = self.state.document("uploads", key)
            if pending is None:
                identity = str(uuid.uuid4())
                pending = {"id": identity, "container": f"standin-{identity}"}
                self.state.add_container(pending["container"])
                self.state.put_document("uploads", key, pending)
        uri = f"{Names.of(request).storage}/{pending['container']}"
        signature = self.access.signature(pending["container"])
        return json_response(
            {
                "pendingUploadId": pending["id"],
                "pendingUploadType": kind_of_upload,
                "blobReferenceForConsumption": {
                    "blobUri": uri,
                    "storageAccountArmId": f"{workspace.id}/storage",
                    "credential": {"credentialType": "SAS", "sasUri": f"{uri}?{signature}"},
                },
            }
        )

    def _by_hash(
        self, request: HttpRequest, workspace: WorkspaceAddress, kind: str
    ) -> list[dict[str, Any]]:
        """Return versions with this content, of any name: azure-ai-ml asks with a random one."""
        wanted = (request.query["hash"], request.query.get("hashVersion"))
        if not all(wanted):
            raise HttpError(400, "ValidationError", "hash and hashVersion go together.")
        found = []
        for each in self.state.documents(kind, f"{_key(workspace)}/"):
            kept = each["properties"].get("properties") or {}
            if (kept.get("hash_sha256"), kept.get("hash_version")) == wanted:
                found.append(each)
        return found

    def _container(
        self, workspace: WorkspaceAddress, kind: str, name: str, latest: Mapping[str, Any]
    ) -> dict[str, Any]:
        return resources.resource(
            f"{workspace.id}/{kind}/{name}",
            f"workspaces/{kind}",
            {
                "latestVersion": latest["name"],
                "nextVersion": str(int(latest["name"]) + 1) if latest["name"].isdigit() else None,
                "isArchived": False,
                "tags": {},
                "properties": {},
            },
            latest["systemData"]["createdAt"],
        )


def _with_kind(kind: str, handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def respond(request: HttpRequest, **segments: Any) -> HttpResponse:
        return handler(request, kind=kind, **segments)

    return respond


def _key(workspace: WorkspaceAddress, *parts: str) -> str:
    return "/".join((workspace.name.lower(), *parts))

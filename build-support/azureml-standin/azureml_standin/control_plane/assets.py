"""Versioned assets of a workspace: code, environments, data, models, components."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from azureml_standin.clouds import ACCOUNT, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.resources import WORKSPACE, WorkspaceAddress
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.state import State
from azureml_standin.storage.access import StorageAccess

# What of an asset may change once it is there; all else is fixed with its first PUT.
_MUTABLE = frozenset({"description", "tags", "isArchived", "autoDeleteSetting", "stage"})
_SERVICE_SET = frozenset({"provisioningState", "environmentType"})
_OWN_STORAGE = re.compile(rf"https://({ACCOUNT}\.blob\.|(127\.0\.0\.1|localhost):\d+/)")
_STORAGE_PATH = re.compile(r"/[a-z0-9]{3,24}\.blob\.[a-z0-9.-]+(/.*)")


class Assets:
    """Assets in the order of their kinds' names in addresses: `codes`, `environments`, …"""

    def __init__(self, state: State, access: StorageAccess) -> None:
        self.state = state
        self.access = access
        self._checks: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "codes": self._check_code,
            "environments": _check_environment,
            "data": _check_data,
            "models": _check_model,
            "components": _check_component,
        }

    def routes(self) -> list[Route]:
        found = []
        for kind in self._checks:
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
        """Versions in the order in which they were made."""
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
        self._checks[kind](properties)
        with self.state.lock:
            present = self.version(workspace, kind, name, version)
            if present is not None:
                _check_unchanged(present["properties"], properties, kind, name, version)
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
        """A container to upload to; the same one whenever this version asks for one again.

        `CreateOrGetStartPendingUpload` of the generated client.
        """
        resources.check_asset_name(name, version)
        asked = request.json().get("pendingUploadType")
        if asked not in ("TemporaryBlobReference", "None"):
            raise HttpError(400, "ValidationError", f"pendingUploadType is {asked!r}.")
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
                "pendingUploadType": asked,
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
        """Versions of this content under whatever name: azure-ai-ml asks under a random one."""
        wanted = (request.query["hash"], request.query.get("hashVersion"))
        if not all(wanted):
            raise HttpError(400, "ValidationError", "hash and hashVersion go together.")
        found = []
        for each in self.state.documents(kind, f"{_key(workspace)}/"):
            kept = each["properties"].get("properties") or {}
            if (kept.get("hash_sha256"), kept.get("hash_version")) == wanted:
                found.append(each)
        return found

    def _check_code(self, properties: Mapping[str, Any]) -> None:
        uri = resources.required(properties, "codeUri")
        place = storage_location(uri)
        if place is None:
            raise resources.user_error(f"properties.codeUri is no address of a container: {uri}")
        if not self.state.has_container(place[0]):
            raise resources.user_error(f"The container of properties.codeUri does not exist: {uri}")

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


def storage_location(uri: str) -> tuple[str, str] | None:
    """Container and path of an address in the storage account, by either of its names.

    The last segment of the account's address is lost where azure-ai-ml joins a path to it
    (`Artifact.full_storage_path`), so that one without it is taken as well.
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.netloc:
        return None
    own = _STORAGE_PATH.fullmatch(parts.path)
    path = unquote(own[1] if own else parts.path)
    container, _, rest = path.lstrip("/").partition("/")
    return (container, rest.strip("/")) if container else None


def _with_kind(kind: str, handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def respond(request: HttpRequest, **places: Any) -> HttpResponse:
        return handler(request, kind=kind, **places)

    return respond


def _key(workspace: WorkspaceAddress, *parts: str) -> str:
    return "/".join((workspace.name.lower(), *parts))


def _check_unchanged(
    present: Mapping[str, Any], properties: Mapping[str, Any], kind: str, name: str, version: str
) -> None:
    """Raise `HttpError` where a PUT would change what an existing version is.

    azure-ai-ml knows the answer for code, `(UserError) Asset paths cannot be updated.`
    (`_artifacts/_constants.py`), and calls versions immutable throughout.
    """

    def fixed(content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: _comparable(value)
            for key, value in content.items()
            if key not in _MUTABLE | _SERVICE_SET and value not in (None, {}, [])
        }

    if fixed(present) == fixed(properties):
        return
    if kind == "codes":
        raise resources.user_error("Asset paths cannot be updated.")
    raise resources.user_error(
        f"{kind}/{name} version {version} exists, and versions are immutable.", 409
    )


def _comparable(value: Any) -> Any:
    """A value, of which an address in our storage counts by its container and path.

    The service has another port after a new start, and is still the same.
    """
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items()}
    if isinstance(value, str) and _OWN_STORAGE.match(value):
        return storage_location(value)
    return value


def _check_environment(properties: Mapping[str, Any]) -> None:
    image, build = properties.get("image"), properties.get("build")
    if bool(image) == bool(build):
        raise resources.user_error("An environment has either 'image' or 'build'.")
    if build:
        if not isinstance(build, dict) or not build.get("contextUri"):
            raise resources.user_error("properties.build.contextUri is required.")
        if properties.get("condaFile"):
            raise resources.user_error("'condaFile' goes with 'image', not with 'build'.")
    if properties.get("osType", "Linux") not in ("Linux", "Windows"):
        raise resources.user_error("properties.osType is Linux or Windows.")


def _check_data(properties: Mapping[str, Any]) -> None:
    resources.one_of(properties, "dataType", ("uri_file", "uri_folder", "mltable"))
    resources.required(properties, "dataUri")


def _check_model(properties: Mapping[str, Any]) -> None:
    resources.required(properties, "modelUri")


def _check_component(properties: Mapping[str, Any]) -> None:
    spec = resources.required(properties, "componentSpec", dict)
    kinds = ("command", "pipeline", "sweep", "parallel", "spark", "import", "automl")
    if spec.get("type", "command") not in kinds:
        raise resources.user_error(f"componentSpec.type is none of {', '.join(kinds)}.")
    if spec.get("type", "command") == "command" and not spec.get("command"):
        raise resources.user_error("componentSpec.command is required.")

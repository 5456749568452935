"""Versioned assets of a workspace: code, environments, data, models, components."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from azureml_standin.clouds import Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.asset_checks import (
    KINDS,
    References,
    check_asset,
    check_version_unchanged,
)
from azureml_standin.control_plane.resources import WORKSPACE, whole_address
from azureml_standin.control_plane.workspace import ControlPlane
from azureml_standin.http.messages import HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import route

_KIND = f"{WORKSPACE}/{{kind={'|'.join(KINDS)}}}"
_VERSION = f"{_KIND}/{{name}}/versions/{{version}}"


Body = dict[str, Any]


class Assets:
    """Assets of all kinds, which are named as in addresses: `codes`, `environments`, …"""

    def __init__(self, control: ControlPlane) -> None:
        self.state = control.state
        self.references = References(control)
        self._access = control.access

    def version(self, kind: str, name: str, version: str) -> Body | None:
        return self.state.document(kind, f"{name}/{version}")

    def versions(self, kind: str, name: str) -> list[Body]:
        """Return versions in the order in which they were made."""
        return self.state.documents(kind, f"{name}/")

    @route("GET", _KIND)
    def list_containers(self, request: HttpRequest, kind: str) -> Body:
        names = dict.fromkeys(each["id"].rsplit("/", 3)[1] for each in self.state.documents(kind))
        return resources.page(request, [self.get_container(request, kind, name) for name in names])

    @route("GET", f"{_KIND}/{{name}}")
    def get_container(self, request: HttpRequest, kind: str, name: str) -> Body:
        versions = self.versions(kind, name)
        if not versions:
            raise resources.not_found(f"{kind}/{name}")
        latest, following = versions[-1]["name"], _next_version(versions)
        properties = {"latestVersion": latest, "nextVersion": following}
        return resources.resource(f"/{kind}/{name}", properties, versions[-1])

    @route("GET", f"{_KIND}/{{name}}/versions")
    def list_versions(self, request: HttpRequest, kind: str, name: str) -> Body:
        found = self.versions(kind, name)
        if "createdtime desc" in request.query.get("$orderBy", "").lower():
            found.reverse()
        if "hash" in request.query:
            found = self._by_hash(request, kind)
        if not found and kind != "codes":
            raise resources.not_found(f"{kind}/{name}")
        found = resources.viewed(request, found)
        top = request.query.get("$top", "")
        return resources.page(request, found[: int(top)] if top.isdecimal() else found)

    @route("GET", _VERSION)
    def get_version(self, request: HttpRequest, kind: str, name: str, version: str) -> Body:
        return resources.found(self.state, kind, f"{name}/{version}")

    @route("PUT", _VERSION)
    def put_version(self, request: HttpRequest, kind: str, name: str, version: str) -> HttpResponse:
        resources.check_name(name, version, marks="_.-")
        properties = resources.properties_of(request)
        for key in ("tags", "properties"):
            properties[key] = resources.texts(properties, key)
        check_asset(kind, properties, self.references)
        if kind == "models":
            # azure-ai-ml fails without flavors.
            where = whole_address(properties["modelUri"])
            properties = {"flavors": {}, **properties, "modelUri": where}
        with self.state.lock:
            present = self.version(kind, name, version)
            if present is not None:
                what = f"{kind}/{name} version {version}"
                check_version_unchanged(present["properties"], properties, what)
            made = self._keep(kind, name, version, properties, present)
        return json_response(made, 200 if present else 201)

    def add_output(self, output: Mapping[str, Any], address: str) -> None:
        """Register what a job wrote to an output with a name; without a version as the next."""
        type_, name, where = output["jobOutputType"], output["assetName"], whole_address(address)
        kind, properties = "data", {"dataUri": where, "dataType": type_}
        if type_.endswith("_model"):
            kind, properties = "models", {"modelUri": where, "modelType": type_, "flavors": {}}
        with self.state.lock:
            version = output.get("assetVersion") or _next_version(self.versions(kind, name))
            if self.version(kind, name, version) is None:
                self._keep(kind, name, version, properties, None)

    def _keep(self, kind: str, name: str, version: str, given: Body, present: Body | None) -> Body:
        before = present["properties"] if present else {}
        kept = {**before, **given, "provisioningState": "Succeeded"}
        made = resources.resource(f"/{kind}/{name}/versions/{version}", kept, present)
        self.state.put_document(kind, f"{name}/{version}", made)
        return made

    @route("POST", f"{_VERSION}/startPendingUpload")
    def start_upload(self, request: HttpRequest, kind: str, name: str, version: str) -> Body:
        """Give a container to upload to; the same one if this version asks again.

        `CreateOrGetStartPendingUpload` of the generated client.
        """
        resources.check_name(name, version, marks="_.-")
        resources.one_of(request.json(), "pendingUploadType", ("TemporaryBlobReference",))
        key = f"{kind}/{name}/{version}"
        with self.state.lock:
            pending = self.state.document("uploads", key)
            if pending is None:
                pending = {"container": f"standin-{uuid.uuid4()}"}
                self.state.add_container(pending["container"])
                self.state.put_document("uploads", key, pending)
        uri = f"{Names.of(request).storage}/{pending['container']}"
        signature = self._access.signature(pending["container"])
        credential = {"credentialType": "SAS", "sasUri": f"{uri}?{signature}"}
        return {"blobReferenceForConsumption": {"blobUri": uri, "credential": credential}}

    def _by_hash(self, request: HttpRequest, kind: str) -> list[Body]:
        """Return versions with this content, of any name: azure-ai-ml asks with a random one."""
        wanted = (request.query["hash"], request.query.get("hashVersion"))

        def is_wanted(version: Body) -> bool:
            kept = version["properties"].get("properties") or {}
            return (kept.get("hash_sha256"), kept.get("hash_version")) == wanted

        return list(filter(is_wanted, self.state.documents(kind)))


def _next_version(versions: Iterable[Body]) -> str:
    """Return the number after all versions that are numbers."""
    names = (each["name"] for each in versions)
    return str(1 + max((int(name) for name in names if name.isdecimal()), default=0))

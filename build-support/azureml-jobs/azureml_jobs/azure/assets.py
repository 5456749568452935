"""Data, models and components of a workspace: list, register, download to where local runs look."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import RemoteFile, download_files, files_at
from azureml_jobs.azure.upload import send_data
from azureml_jobs.azure.workspace import ConnectedWorkspace, put_once
from azureml_jobs.base.assets import DATA, AssetName, check_names, default_type
from azureml_jobs.base.errors import JobError, OutsideError

# The steps of pipelines are versions of this one component.
_ANONYMOUS = "azureml_anonymous"


class AzureAssets:
    def __init__(self, kind: str, workspace: ConnectedWorkspace) -> None:
        self._kind = kind
        self._workspace = workspace
        self._noun = kind if kind == DATA else "model"
        self._type_key, self._uri_key = f"{self._noun}Type", f"{self._noun}Uri"

    def list(self) -> list[dict[str, Any]]:
        """Return a row for the newest version of each asset."""
        found = {each["name"]: each["properties"] for each in self._workspace.pages(self._kind)}
        rows = []
        for name, properties in sorted(found.items()):
            version = properties.get("latestVersion") or ""
            path, type = f"azureml:{name}:{version}", properties.get("dataType") or ""
            if name != _ANONYMOUS:
                rows.append({"name": name, "version": version, "type": type, "path": path})
        return rows

    def register(self, name: str, path: str, version: str | None, type: str | None) -> str:
        """Make a version of an asset from local files or an address.

        Returns `azureml:<name>:<version>`. Raises `JobError` when this version is something else,
        when there is no such file, and for what is no name.
        """
        check_names(name, version or None)
        if "://" in path or path.startswith("runs:/"):
            address, is_folder = path, path.endswith("/")
        else:
            # Without `.` and `..`: the last name of the path is part of the address.
            local = Path(os.path.abspath(path))
            if not os.path.exists(local):
                raise JobError(path, "there is no such file or folder", "Write another `--path`.")
            address, is_folder = send_data(Datastores(self._workspace), local).id, local.is_dir()
        version = version or str(self._properties(name).get("nextVersion") or "1")
        properties = {
            self._type_key: type or default_type(self._kind, is_folder),
            self._uri_key: address,
        }
        there = put_once(
            self._workspace, self._kind, name, "versions", version, properties=properties
        )
        if there is not None and there["properties"].get(self._uri_key) != address:
            raise JobError(
                f"azureml:{name}:{version}",
                "this version exists already, and versions cannot be changed",
                "Write another `--version`, or leave it out for the next one.",
            )
        return f"azureml:{name}:{version}"

    def find(self, reference: str) -> RemoteAsset:
        """Return an asset that can be downloaded; without a version, the latest.

        Raises `JobError` when it does not exist.
        """
        asset = AssetName.parse(reference)
        if asset is None:
            raise JobError(reference, "this is not a name", "Write NAME, or NAME:VERSION.")
        version = asset.version or str(self._properties(asset.name).get("latestVersion") or "")
        if not version:
            raise self._missing(f"azureml:{asset.name}")
        found = self._workspace.get(self._kind, asset.name, "versions", version)
        if found is None:
            raise self._missing(f"azureml:{asset.name}:{version}")
        properties = found["properties"]
        return RemoteAsset(
            self._kind,
            AssetName(asset.name, version),
            str(properties.get(self._type_key) or ""),
            properties[self._uri_key],
            Datastores(self._workspace),
        )

    def _properties(self, name: str) -> dict[str, Any]:
        """Return what is the same for all versions of an asset; empty without any."""
        container = self._workspace.get(self._kind, name) or {"properties": {}}
        return dict(container["properties"])

    def _missing(self, asset: str) -> JobError:
        return JobError(
            asset,
            f"{self._workspace.config.name} has no such {self._noun}",
            f"`./pants run :aml -- {self._kind} list` lists what there is.",
        )


@dataclass(frozen=True)
class RemoteAsset:
    """A version in a workspace, at an address of a datastore."""

    kind: str
    name: AssetName
    type: str
    address: str
    _datastores: Datastores

    @property
    def file(self) -> str:
        """The name of the only file that it is; empty for a folder."""
        last = self.address.rstrip("/").rpartition("/")[2]
        return last if [file.path for file in self.files] == [last] else ""

    @cached_property
    def files(self) -> list[RemoteFile]:
        found = files_at(self._datastores, self.address, "")
        if not found:
            raise OutsideError(str(self.name), f"there is nothing at {self.address}")
        return found

    def download(self, folder: Path) -> None:
        """Download its files into a folder that does not exist."""
        download_files(self.files, folder)

"""Data assets of a workspace: list, register, and download to where local runs find them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import download_files, files_at
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.upload import send_data
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.download_result import check_empty_folder
from azureml_jobs.base.errors import JobError, OutsideError

_ASSET = re.compile(r"(?:azureml:)?([A-Za-z0-9][\w.-]*)(?::([A-Za-z0-9][\w.-]*)|@latest)?")


@dataclass(frozen=True)
class FetchedData:
    """`asset` is `azureml:<name>:<version>`."""

    asset: str
    folder: Path
    files: int


class DataAssets:
    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self._workspace = workspace

    def list(self) -> list[dict[str, Any]]:
        """Return a row for the newest version of each asset."""
        rows = []
        for container in self._workspace.pages("data"):
            name, version = container["name"], container["properties"].get("latestVersion")
            rows.append(
                {
                    "name": name,
                    "version": version or "",
                    "type": container["properties"].get("dataType") or "",
                    "path": f"azureml:{name}:{version}",
                }
            )
        return sorted(rows, key=lambda row: str(row["name"]))

    def register(self, name: str, path: str, version: str | None, kind: str | None) -> str:
        """Make a version of an asset from local files or an address.

        Returns `azureml:<name>:<version>`. Raises `JobError` when this version is something else,
        or there is no such file.
        """
        is_address = "://" in path
        if is_address:
            address, kind = path, kind or ("uri_folder" if path.endswith("/") else "uri_file")
        else:
            local = Path(path)
            if not local.exists():
                raise JobError(path, "there is no such file or folder", "Write another `--path`.")
            kind = kind or ("uri_folder" if local.is_dir() else "uri_file")
            address = send_data(Datastores(self._workspace), local).id
        version = version or self._next_version(name)
        properties = {"dataType": kind, "dataUri": address}
        try:
            self._workspace.put(
                *("data", name, "versions", version), body={"properties": properties}
            )
        except ServiceError as error:
            if error.status_code not in (400, 409):
                raise
            there = self._workspace.get("data", name, "versions", version)
            if there is None:
                raise
            if there["properties"].get("dataUri") != address:
                raise JobError(
                    f"azureml:{name}:{version}",
                    "this version exists already, and versions cannot be changed",
                    "Write another `--version`, or leave it out for the next one.",
                ) from error
        return f"azureml:{name}:{version}"

    def download(self, asset: str, data: Path) -> FetchedData:
        """Download an asset to `<data>/<name>/<version>`; without a version, the latest.

        Raises `JobError` when it does not exist, or the folder is in use.
        """
        match = _ASSET.fullmatch(asset)
        if match is None:
            raise JobError(asset, "this is not a name of data", "Write NAME, or NAME:VERSION.")
        name, version = match[1], match[2] or self._latest(match[1])
        found = self._workspace.get("data", name, "versions", version)
        if found is None:
            raise self._no_such_data(f"azureml:{name}:{version}")
        target = data / name / version
        check_empty_folder(target)
        address = found["properties"]["dataUri"]
        files = files_at(Datastores(self._workspace), address, "")
        if not files:
            raise OutsideError(f"azureml:{name}:{version}", f"there is nothing at {address}")
        download_files(files, target)
        return FetchedData(f"azureml:{name}:{version}", target, len(files))

    def _latest(self, name: str) -> str:
        container = self._workspace.get("data", name)
        version = container and container["properties"].get("latestVersion")
        if not version:
            raise self._no_such_data(f"azureml:{name}")
        return str(version)

    def _next_version(self, name: str) -> str:
        container = self._workspace.get("data", name) or {"properties": {}}
        return str(container["properties"].get("nextVersion") or "1")

    def _no_such_data(self, asset: str) -> JobError:
        return JobError(
            asset,
            f"{self._workspace.config.name} has no such data",
            "`./pants run :aml -- data list` lists what there is.",
        )

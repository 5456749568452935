"""Data, models and components of the local workspace; `azureml_jobs.azure.assets` has the same."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import COMPONENTS, DATA, AssetName, default_type
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.data import copy_data
from azureml_jobs.local.fetch import fetch
from azureml_jobs.local.job_outputs import is_job_output, job_output
from azureml_jobs.local.named_assets import asset_path, data_versions
from azureml_jobs.local.registry import LocalRegistry


class LocalAssets:
    def __init__(self, kind: str, repository: Path) -> None:
        self._kind = kind
        self._repository = repository
        self._workspace = repository / LOCAL_FOLDER
        self._registry = LocalRegistry(self._workspace)

    def _data_rows(self) -> list[dict[str, Any]]:
        """Return the rows of data. A folder without versions serves for any version."""
        data = self._repository / "data"
        folders = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
        return [
            {"name": folder.name, "version": version, "type": "", "path": f"data/{folder.name}"}
            for folder in folders
            if not folder.name.startswith(".")
            for version in data_versions(folder) or ["any"]
        ]

    def list(self) -> list[dict[str, Any]]:
        """Return a row for each version that local runs find as `azureml:NAME:VERSION`."""
        if self._kind == DATA:
            return self._data_rows()
        return [
            {
                "name": name,
                "version": each.version,
                "type": (each.document() if self._kind == COMPONENTS else each.meta).get(
                    "type", ""
                ),
                "path": os.path.relpath(each.path, self._repository),
            }
            for name in self._registry.names(self._kind)
            for each in self._registry.versions(self._kind, name)
        ]

    def register(self, name: str, path: str, version: str | None, type: str | None) -> str:
        """Keep a copy of what is at a path or an address; return `azureml:NAME:VERSION`."""
        source = self._source(path)
        if self._kind == DATA:
            return self._register_data(name, source, version)
        kind = type or default_type(self._kind, source.is_dir())
        if kind != "custom_model" and not source.is_dir():
            raise JobError(path, f"a model of the type {kind} is a folder", "Name the folder.")
        made = self._registry.register_model(name, source, version, {"type": kind})
        return made.id

    def find(self, reference: str) -> Path:
        """Return where a version is: on this machine already."""
        asset = AssetName.parse(reference)
        if asset is None:
            raise JobError(reference, "this is not a name", "Write NAME, or NAME:VERSION.")
        type = "" if self._kind == DATA else default_type(self._kind, True)
        return asset_path(str(asset), type, self._repository)

    def _source(self, path: str) -> Path:
        if path.startswith(("https://", "http://")):
            return fetch(path, self._workspace / "cache")
        if is_job_output(path):
            return job_output(path, self._workspace)
        if "://" in path:
            raise JobError(
                path,
                "only a workspace in Azure can read this address",
                "Write a path, an `https://` address, or `azureml://jobs/NAME/outputs/OUTPUT`.",
            )
        if not Path(path).exists():
            raise JobError(path, "there is no such file or folder", "Write another `--path`.")
        return Path(path)

    def _register_data(self, name: str, source: Path, version: str | None) -> str:
        asset, folder = AssetName.parse(name), self._repository / "data" / name
        if asset is None or asset.version or not (version or "1").isdecimal():
            raise JobError(
                f"{name}:{version}" if version else name,
                "this does not name a version of data",
                "Write a name of letters, digits, `-`, `_` and `.`, and a number for the version.",
            )
        there = data_versions(folder)
        if folder.exists() and any(folder.iterdir()) and not there:
            raise JobError(
                f"data/{name}",
                "the folder serves as every version, because it has none",
                f"Move what is in it to data/{name}/1 first.",
            )
        target = folder / (version or str(int(there[-1]) + 1 if there else 1))
        if target.exists():
            raise JobError(
                f"azureml:{name}:{target.name}",
                "this version exists already, and versions cannot be changed",
                "Write another `--version`, or leave it out for the next one.",
            )
        _copy(source, target)
        return f"azureml:{name}:{target.name}"


def _copy(source: Path, target: Path) -> None:
    """Copy into the folder `target`, which appears when it is whole."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            content = temporary / "content"
            copy_data(source, content if source.is_dir() else content / source.name)
            os.rename(content, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise OutsideError(
            str(target),
            f"the data could not be copied: {error.strerror or error}",
            "Check the free space and the permissions there.",
        ) from error

"""Data, models and components of the local workspace; `azureml_jobs.azure.assets` has the same."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import (
    COMPONENTS,
    DATA,
    MODEL_TYPES,
    MODELS,
    PART,
    AssetName,
    default_type,
)
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.data import copy_data
from azureml_jobs.local.fetch import fetch
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.job_outputs import job_output
from azureml_jobs.local.output import write_message
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.registry import (
    LocalRegistry,
    add_version,
    asset_path,
    numbered_versions,
)


class LocalAssets:
    def __init__(self, kind: str, repository: Path) -> None:
        self._kind = kind
        self._repository = repository
        self._workspace = repository / LOCAL_FOLDER
        self._registry = LocalRegistry(self._workspace)

    def _data_rows(self) -> list[dict[str, Any]]:
        """Return the rows of data. A folder without versions serves for any version."""
        return [
            {"name": folder.name, "version": version, "type": "", "path": f"data/{folder.name}"}
            for folder in sorted((self._repository / "data").glob("[!.]*/"))
            for version in numbered_versions(folder) or ["any"]
        ]

    def list(self) -> list[dict[str, Any]]:
        """Return a row for each version that local runs find as `azureml:NAME:VERSION`."""
        if self._kind == DATA:
            return self._data_rows()
        rows = []
        for name in self._registry.names(self._kind):
            for each in self._registry.versions(self._kind, name):
                described = each.document() if self._kind == COMPONENTS else each.meta
                path = os.path.relpath(each.path, self._repository)
                type = described.get("type", "")
                rows.append({"name": name, "version": each.version, "type": type, "path": path})
        return rows

    def register(self, name: str, path: str, version: str | None, type: str | None) -> str:
        """Keep a copy of what is at a path or an address; return `azureml:NAME:VERSION`."""
        source = self._source(path)

        def write(folder: Path) -> None:
            copy_data(source, folder if source.is_dir() else folder / source.name)

        if self._kind == DATA:
            return self._register_data(name, version, write)
        kind = type or default_type(self._kind, source.is_dir())
        if kind != "custom_model" and not source.is_dir():
            raise JobError(path, f"a model of the type {kind} is a folder", "Name the folder.")
        meta = {"type": kind, "file": "" if source.is_dir() else source.name}
        return self._registry.register(MODELS, name, version, meta, write).id

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
        if path.startswith(("azureml://jobs/", "runs:/")):
            return job_output(path, self._workspace)
        if "://" in path:
            raise JobError(
                path,
                "only a workspace in Azure can read this address",
                "Write a path, an `https://` address, or `azureml://jobs/NAME/outputs/OUTPUT`.",
            )
        if not os.path.exists(path):
            raise JobError(path, "there is no such file or folder", "Write another `--path`.")
        return Path(path)

    def _register_data(self, name: str, version: str | None, write: Callable[[Path], None]) -> str:
        if not re.fullmatch(PART, name) or not (version or "1").isdecimal():
            raise JobError(
                f"{name}:{version}" if version else name,
                "this does not name a version of data",
                "Write a name of letters, digits, `-`, `_` and `.`, and a number for the version.",
            )
        folder = self._repository / "data" / name
        if any(folder.glob("[!.]*")) and not numbered_versions(folder):
            raise JobError(
                f"data/{name}",
                "the folder serves as every version, because it has none",
                f"Move what is in it to data/{name}/1 first.",
            )
        return f"azureml:{name}:{add_version(folder, version, write).name}"


def register_outputs(folder: JobFolder, record: JobRecord) -> None:
    """Register what a completed job left; what cannot be registered is a warning of its record."""
    for output, asset in record.named_outputs.items():
        if output not in record.outputs:
            continue
        kind = MODELS if asset["type"] in MODEL_TYPES else DATA
        assets = LocalAssets(kind, folder.root.parent)
        path, version = record.outputs[output], asset["version"] or None
        try:
            made = assets.register(asset["name"], path, version, asset["type"])
        except JobError as error:
            record.warnings.append(
                f"the output `{output}` was not registered: {error.where}: {error.what}"
            )
        else:
            write_message(1, f"{record.name}: `{output}` registered as {made}\n")

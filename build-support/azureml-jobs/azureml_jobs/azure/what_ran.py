"""Download the record of what a job in Azure ran: manifest, changes and code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import RemoteFile, download_files, files_at
from azureml_jobs.azure.upload import code_asset
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.assets import DATA, MODELS, AssetName
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.manifest import units_of
from azureml_jobs.bundle.names import CODE_FOLDER, MANIFEST_FILE

MANIFEST_PROPERTY = "azureml_jobs.manifest"
_CODE_ID = re.compile(r".*/codes/([^/]+)/versions/([^/]+)")


def download_record(
    workspace: ConnectedWorkspace, name: str, destination: Path, with_code: bool
) -> None:
    """Download the record into a new folder. That of a step or a trial is its root's.

    Raises `JobError` for a job that has none, `OutsideError` when a part of it is gone.
    """
    properties = job_of(workspace, name)["properties"]
    if properties.get("root") not in (None, "", name):
        properties = job_of(workspace, str(properties["root"]))["properties"]
    found = _CODE_ID.fullmatch(str((properties.get("properties") or {}).get(MANIFEST_PROPERTY)))
    if not found:
        raise JobError(
            name,
            "the job has no record of what it ran",
            "Name a job that `./pants run` has submitted.",
        )
    datastores = Datastores(workspace)
    download_files(_files(workspace, datastores, found[1], found[2], ""), destination)
    if with_code:
        manifest = json.loads((destination / MANIFEST_FILE).read_text(encoding="utf-8"))
        files = [
            file
            for below, digest in _snapshots(manifest)
            for file in _files(workspace, datastores, code_asset(digest), "1", below)
        ]
        if files:
            download_files(files, destination / CODE_FOLDER)


def check_assets(workspace: ConnectedWorkspace, manifest: Mapping[str, Any]) -> None:
    """Raise `JobError` for a data asset or a model of a job that is gone.

    Azure ML would take the job, and fail it when it looks for the data.
    """
    for item in manifest["data"]:
        asset = AssetName.parse(str(item.get("asset") or ""))
        if asset is None:
            continue
        path = (asset.name, *(("versions", asset.version) if asset.version else ()))
        if not any(workspace.get(kind, *path) for kind in (DATA, MODELS)):
            raise JobError(
                f"input {item['input']}",
                f"{workspace.config.name} has no {item['asset']} any more",
                "Register the same data again, or run the job with other data: add `--as-now`.",
            )


def _snapshots(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the folder and the digest of the code of each unit that has any."""
    return [
        (str(unit["name"]), unit["snapshot"]["sha256"])
        for unit in units_of(manifest)
        if unit["snapshot"]["files"]
    ]


def _files(
    workspace: ConnectedWorkspace, datastores: Datastores, name: str, version: str, below: str
) -> list[RemoteFile]:
    asset = workspace.get("codes", name, "versions", version)
    files = files_at(datastores, asset["properties"]["codeUri"], below) if asset else []
    if not files:
        raise OutsideError(
            f"code {name}:{version}",
            f"{workspace.config.name} no longer has these files",
            "Somebody has removed them from the workspace's storage.",
        )
    return files

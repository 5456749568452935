"""The record of what a job runs: sent with it, and downloaded again, with the code.

It is a small code asset of its own: in the snapshot it would change that with every commit, and
Azure ML would reuse no code and no results.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import RemoteFile, download_files, files_at
from azureml_jobs.azure.upload import code_asset
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.assets import DATA, MODELS, AssetName
from azureml_jobs.base.digest import entries_digest, file_digest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.manifest_file import manifest_text, read_manifest, units_of
from azureml_jobs.bundle.names import CODE_FOLDER, DIFF_FILE, MANIFEST_FILE

_MANIFEST_PROPERTY = "azureml_jobs.manifest"
SDK = ("azure-ai-ml", "azure-identity")
_CODE_ID = re.compile(r".*/codes/([^/]+)/versions/([^/]+)")


@dataclass(frozen=True)
class SentRecord:
    """The two files in `folder`, with the sha256 of both."""

    folder: Path
    digest: str
    manifest: Mapping[str, Any]

    def marks(self, asset: str) -> dict[str, str]:
        """Return properties of the job that lead to what ran; `asset` is the record's id."""
        git = self.manifest["git"] or {}
        marks = {_MANIFEST_PROPERTY: asset, "azureml_jobs.commit": git.get("commit")}
        if git.get("is_dirty") is not None:
            marks["azureml_jobs.dirty"] = str(git["is_dirty"]).lower()
        return {key: value for key, value in marks.items() if value}


def write_record(bundle: Path, folder: Path) -> SentRecord:
    """Write the record of a bundle into `folder`, with the versions of what sends it."""
    folder.mkdir(exist_ok=True)
    manifest = json.loads((bundle / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["made"]["sdk"] = {name: version(name) for name in SDK}
    (folder / MANIFEST_FILE).write_text(manifest_text(manifest), encoding="utf-8")
    shutil.copyfile(bundle / DIFF_FILE, folder / DIFF_FILE)
    names = (MANIFEST_FILE, DIFF_FILE)
    digest = entries_digest((name, file_digest(folder / name), False) for name in names)
    return SentRecord(folder, digest, manifest)


def download_record(
    workspace: ConnectedWorkspace, name: str, destination: Path, with_code: bool
) -> None:
    """Download the record into a new folder. That of a step or a trial is its root's.

    Raises `JobError` for a job that has none, `OutsideError` when a part of it is gone.
    """
    properties = job_of(workspace, name)["properties"]
    if properties.get("root") not in (None, "", name):
        properties = job_of(workspace, str(properties["root"]))["properties"]
    found = _CODE_ID.fullmatch(str((properties.get("properties") or {}).get(_MANIFEST_PROPERTY)))
    if not found:
        raise JobError(
            name,
            "the job has no record of what it ran",
            "Name a job that `./pants run` has submitted.",
        )
    datastores = Datastores(workspace)
    download_files(_files(datastores, found[1], found[2], ""), destination)
    if with_code:
        units = [(unit["name"], unit["snapshot"]) for unit in units_of(read_manifest(destination))]
        files = [
            file
            for name, snapshot in units
            if snapshot["files"]
            for file in _files(datastores, code_asset(snapshot["sha256"]), "1", name)
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


def _files(datastores: Datastores, name: str, version: str, below: str) -> list[RemoteFile]:
    workspace = datastores.workspace
    asset = workspace.get("codes", name, "versions", version)
    files = files_at(datastores, asset["properties"]["codeUri"], below) if asset else []
    if not files:
        raise OutsideError(
            f"code {name}:{version}",
            f"{workspace.config.name} no longer has these files",
            "Somebody has removed them from the workspace's storage.",
        )
    return files

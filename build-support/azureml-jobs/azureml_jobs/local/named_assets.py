"""Find data and models by their names, `azureml:NAME:VERSION`."""

from __future__ import annotations

import os
from pathlib import Path

from azureml_jobs.base.assets import MODEL_TYPES, MODELS, AssetName
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.local.registry import LocalRegistry


def asset_path(reference: str, type: str, repo: Path) -> Path:
    """Return the file or folder of a data asset or, for a type of model, of a registered model.

    Raises `JobError` when this machine does not have it.
    """
    asset = AssetName.parse(reference)
    if asset is None or not (asset.version or reference.endswith("@latest")):
        raise JobError(
            reference,
            "this does not name a version",
            "Write `azureml:<name>:<version>` or `azureml:<name>@latest`.",
        )
    return _model(asset, repo) if type in MODEL_TYPES else _data(asset, repo)


def data_versions(folder: Path) -> list[str]:
    """Return the versions in `folder`: its folders and files named by a number, lowest first."""
    try:
        return sorted((each for each in os.listdir(folder) if each.isdigit()), key=int)
    except OSError:
        return []


def _model(asset: AssetName, repo: Path) -> Path:
    registry = LocalRegistry(repo / LOCAL_FOLDER)
    found = registry.find(MODELS, str(asset))
    if found is not None:
        return found.path
    there = [each.id for each in registry.versions(MODELS, asset.name)]
    raise JobError(
        str(asset),
        "the local workspace has no such model",
        f"{_listed(there)}Register a copy:\n\n"
        f"./pants run :aml -- models register {asset.name} --path FILE-OR-FOLDER --local",
    )


def _data(asset: AssetName, repo: Path) -> Path:
    folder = repo / "data" / asset.name
    versions = data_versions(folder)
    # In Azure ML the latest version is the newest one, here that of the highest number.
    version = asset.version or (versions[-1] if versions else "1")
    found = folder / version
    if found.exists():
        return found
    # A folder without versions serves as every version.
    if folder.exists() and not versions:
        return folder
    looked = f"data/{asset.name}/{version}" + ("" if versions else f" and data/{asset.name}")
    there = _listed([f"azureml:{asset.name}:{each}" for each in versions])
    raise JobError(
        str(asset),
        "the local workspace has no such data",
        f"Looked for {looked}. {there}Put a copy of the data there, or write the path of data that "
        "exists.",
    )


def _listed(there: list[str]) -> str:
    return f"There {'is' if len(there) == 1 else 'are'} {', '.join(there)}.\n" if there else ""

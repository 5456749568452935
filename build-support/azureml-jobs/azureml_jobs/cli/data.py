"""Run `./pants run :aml -- data …`: list, register and download data assets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import BOLD, coloured, print_json, table
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace
from azureml_jobs.local.named_assets import data_versions


def run_data(
    workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace
) -> int:
    if workspace is None:
        if options.command == "list":
            return _print_assets(_local_assets(repository), options.json)
        raise JobError(
            f"data {options.command}",
            f"{CONFIG_FILE} names no workspace to keep data assets in",
            "Put data for local runs into data/NAME/VERSION by hand.",
        )
    from azureml_jobs.azure.data import DataAssets  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    assets = DataAssets(ConnectedWorkspace(workspace, options.login))
    if options.command == "list":
        return _print_assets(assets.list(), options.json)
    if options.command == "register":
        asset = assets.register(options.name, options.path, options.version, options.type)
        print(f"{asset} registered in {workspace.name}")
        return 0
    fetched = assets.download(options.asset, repository / "data")
    print(f"{fetched.asset}: {fetched.files} files in {fetched.folder.relative_to(repository)}")
    return 0


def _local_assets(repository: Path) -> list[dict[str, Any]]:
    """Return what local runs find as `azureml:NAME:VERSION`.

    A folder without versions serves for any version.
    """
    data = repository / "data"
    folders = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    return [
        {"name": folder.name, "version": version, "type": "", "path": f"data/{folder.name}"}
        for folder in folders
        if not folder.name.startswith(".")
        for version in data_versions(folder) or ["any"]
    ]


def _print_assets(rows: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print_json(rows)
    elif not rows:
        print("No data assets. Make one: ./pants run :aml -- data register NAME --path FOLDER")
    else:
        columns = ("name", "version", "type", "path")
        header, *lines = table(columns, [[str(row[key]) for key in columns] for row in rows])
        print("\n".join([coloured(header, BOLD), *lines]))
    return 0

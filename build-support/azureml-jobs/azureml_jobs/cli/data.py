"""`./pants run :aml -- data …`: data assets of the workspace, and what of them is here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import BOLD, coloured, table
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace
from azureml_jobs.local.inputs import data_versions


def run_data(place: AzureWorkspace | None, repository: Path, options: argparse.Namespace) -> int:
    if place is None:
        if options.command == "list":
            return _show(_local(repository), options.json)
        raise JobError(
            f"data {options.command}",
            f"{CONFIG_FILE} names no workspace, and data assets are kept in one",
            "Put data for local runs into data/NAME/VERSION by hand.",
        )
    from azureml_jobs.azure.connected import ConnectedWorkspace  # pants: no-infer-dep
    from azureml_jobs.azure.data import DataAssets  # pants: no-infer-dep

    assets = DataAssets(ConnectedWorkspace(place, options.login).workspace)
    if options.command == "list":
        return _show(assets.list(), options.json)
    if options.command == "register":
        made = assets.register(options.name, options.path, options.version, options.type)
        print(f"{made} registered in {place.name}")
        return 0
    fetched = assets.download(options.asset, repository / "data")
    print(f"{fetched.asset}: {fetched.files} files in {fetched.folder.relative_to(repository)}")
    return 0


def _local(repository: Path) -> list[dict[str, Any]]:
    """What local runs find as `azureml:NAME:VERSION`; a folder without versions is any of them."""
    data = repository / "data"
    folders = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    return [
        {"name": folder.name, "version": version, "type": "", "path": f"data/{folder.name}"}
        for folder in folders
        if not folder.name.startswith(".")
        for version in data_versions(folder) or ["any"]
    ]


def _show(rows: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        print("No data assets. Make one: ./pants run :aml -- data register NAME --path FOLDER")
    else:
        columns = ("name", "version", "type", "path")
        header, *lines = table(columns, [[str(row[key]) for key in columns] for row in rows])
        print("\n".join([coloured(header, BOLD), *lines]))
    return 0

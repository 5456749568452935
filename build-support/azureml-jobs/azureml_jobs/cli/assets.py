"""Run `./pants run :aml -- data|models|components|endpoints …`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import COMPONENTS, DATA, MODELS
from azureml_jobs.base.console import print_json, print_table
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.jobs import check_empty_folder
from azureml_jobs.base.workspace_config import CONFIG_FILE, LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.guard import suspicious_names
from azureml_jobs.bundle.secret_guard import check_secrets
from azureml_jobs.local.local_assets import LocalAssets
from azureml_jobs.local.registry import LocalRegistry

_HOW_TO_MAKE = {
    DATA: "./pants run :aml -- data register NAME --path PATH",
    MODELS: "./pants run :aml -- models register NAME --path PATH",
    COMPONENTS: "./pants run :aml -- components register src/X:NAME",
}


def run_assets(
    workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace
) -> int:
    local = LocalAssets(options.noun, repository)
    if workspace is not None:
        from azureml_jobs.azure.assets import AzureAssets  # pants: no-infer-dep
        from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

        azure = AzureAssets(options.noun, ConnectedWorkspace(workspace, options.login))
    match options.command:
        case "list":
            rows = local.list() if workspace is None else azure.list()
            return _print_rows(rows, options)
        case "register":
            assets = local if workspace is None else azure
            if workspace is not None:
                names = suspicious_names(options.path, options.path)
                check_secrets(names, options.allow, options.path, "asset")
            made = assets.register(options.name, options.path, options.version, options.type)
            place = "the local workspace" if workspace is None else workspace.name
            print(f"{made} registered in {place}")
        case _ if workspace is None:
            found = local.find(options.asset)
            print(f"{options.asset}: {os.path.relpath(found, repository)}, on this machine")
        case _:
            asset = azure.find(options.asset)
            folder = _download(asset, repository)
            print(
                f"{asset.name}: {len(asset.files)} files in {os.path.relpath(folder, repository)}"
            )
    return 0


def _download(asset: Any, repository: Path) -> Path:
    """Download the asset to where local runs find it."""
    name, version = asset.name.name, asset.name.version
    if asset.kind == DATA:
        target: Path = repository / "data" / name / version
        check_empty_folder(target)
        asset.download(target)
        return target
    registry = LocalRegistry(repository / LOCAL_FOLDER)
    found = registry.find(MODELS, str(asset.name))
    if found is None:
        meta = {"type": asset.type, "file": asset.file}
        found = registry.register(MODELS, name, version, meta, asset.download)
    return found.path


def _print_rows(rows: list[dict[str, Any]], options: argparse.Namespace) -> int:
    if options.json:
        print_json(rows)
    elif not rows:
        print(f"There are no {options.noun}. Make some: {_HOW_TO_MAKE[options.noun]}")
    else:
        columns = ("name", "version", "type", "path")
        print_table(columns, [[str(row[key]) for key in columns] for row in rows])
    return 0


def run_endpoints(workspace: AzureWorkspace | None, _: Path, options: argparse.Namespace) -> int:
    if workspace is None:
        raise JobError(
            f"endpoints {options.command}",
            "the local workspace has no endpoints, and only Azure ML serves models",
            f"Name a workspace in {CONFIG_FILE}.",
        )
    from azureml_jobs.azure.endpoints import Endpoints  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    if options.command == "create" and not (options.model or options.file):
        raise JobError(
            options.name, "nothing to serve is named", "Write `--model azureml:NAME:VERSION`."
        )
    shares = _shares(options) if options.command == "traffic" else {}
    endpoints = Endpoints(ConnectedWorkspace(workspace, options.login))
    match options.command:
        case "list":
            _print_endpoints(endpoints.list(), options.json)
        case "create":
            settings = {
                "name": options.deployment,
                "model": options.model,
                "instance_type": options.instance_type,
                "instance_count": options.instance_count,
            }
            given = {key: value for key, value in settings.items() if value is not None}
            made = endpoints.create(
                options.name, options.auth_mode, options.file, given, options.allow
            )
            _print_endpoints([made], False)
        case "invoke":
            print(endpoints.invoke(options.name, options.request, options.deployment))
        case "keys":
            for name, key in endpoints.keys(options.name).items():
                print(f"{name}: {key}")
        case "traffic":
            endpoints.route(options.name, shares)
            print(f"{options.name}: {_traffic_text(shares)}")
        case _:
            endpoints.delete(options.name, options.deployment)
            print(f"{'/'.join(filter(None, (options.name, options.deployment)))} deleted")
    return 0


def _shares(options: argparse.Namespace) -> dict[str, int]:
    """Return the percentages in `NAME=PERCENT …`."""
    shares = {}
    for text in options.shares:
        name, _, percent = text.partition("=")
        shares[name] = int(percent) if percent.isdecimal() else -1
    if min(shares.values()) < 0 or sum(shares.values()) != 100:
        raise JobError(
            f"endpoints traffic {' '.join(options.shares)}",
            "the shares are no percentages that make 100",
            "Write one for each deployment, such as `blue=90 green=10`.",
        )
    return shares


def _print_endpoints(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif not rows:
        print("There are no endpoints. ./pants run :aml -- endpoints create --help")
    else:
        cells = [
            [row["name"], row["state"], row["auth_mode"], _traffic_text(row["traffic"]), row["url"]]
            for row in rows
        ]
        print_table(("name", "state", "sign-in", "traffic", "URL"), cells)


def _traffic_text(traffic: dict[str, int]) -> str:
    return " ".join(f"{name}={share}" for name, share in traffic.items())

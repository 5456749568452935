"""Run `./pants run :aml -- endpoints …`, which only Azure ML has."""

from __future__ import annotations

import argparse
from typing import Any

from azureml_jobs.base.console import BOLD, coloured, print_json, table
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace


def run_endpoints(workspace: AzureWorkspace | None, options: argparse.Namespace) -> int:
    if workspace is None:
        raise JobError(
            f"endpoints {options.command}",
            "the local workspace has no endpoints, and only Azure ML serves models",
            f"Name a workspace in {CONFIG_FILE}.",
        )
    from azureml_jobs.azure.endpoints import DeploymentSpec, Endpoints  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    if options.command == "create" and not (options.model or options.file):
        raise JobError(
            options.name, "nothing to serve is named", "Write `--model azureml:NAME:VERSION`."
        )
    shares = _shares(options) if options.command == "traffic" else {}
    endpoints = Endpoints(ConnectedWorkspace(workspace, options.login))
    match options.command:
        case "list":
            _print_rows(endpoints.list(), options.json)
        case "create":
            spec = DeploymentSpec(
                options.deployment,
                options.model,
                options.file,
                options.instance_type,
                options.instance_count,
                tuple(options.allow),
            )
            _print_rows([endpoints.create(options.name, options.auth_mode, spec)], False)
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


def _print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif not rows:
        print("There are no endpoints. ./pants run :aml -- endpoints create --help")
    else:
        cells = [
            [row["name"], row["state"], row["auth_mode"], _traffic_text(row["traffic"]), row["url"]]
            for row in rows
        ]
        header, *lines = table(("name", "state", "sign-in", "traffic", "URL"), cells)
        print("\n".join([coloured(header, BOLD), *lines]))


def _traffic_text(traffic: dict[str, int]) -> str:
    return " ".join(f"{name}={share}" for name, share in traffic.items())

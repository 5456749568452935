"""Run `./pants run :aml -- …`, on a workspace in Azure or on the local one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.exec_after_pants import exec_after_pants, exec_command
from azureml_jobs.base.workspace_config import AzureWorkspace, configured_workspace
from azureml_jobs.cli.aml_parser import aml_parser
from azureml_jobs.local.run_environment import ensure_packages_venv
from azureml_jobs.protocol import WorkspaceRequest

# These take long, and Pants would keep other commands waiting meanwhile.
_LONG_COMMANDS = frozenset({"stream", "cancel", "download", "register", "reproduce", "ui"})


def run_aml(arguments: Sequence[str]) -> int:
    """Run the command, after Pants has answered if it takes long or talks to Azure."""
    request, folder = WorkspaceRequest(), Path()
    if arguments[:1] == ["--request"]:
        request, folder = WorkspaceRequest.read(Path(arguments[1])), Path(arguments[1]).parent
        arguments = arguments[2:]
    options = aml_parser().parse_args(arguments)
    is_under_pants = options.repository is None
    repository = Path.cwd() if is_under_pants else options.repository
    if (options.noun, options.command) == ("components", "register"):
        # Pants finds the code.
        return exec_command([str(repository / "pants"), "run", *_component_run(options)])
    is_service = options.noun == "service"
    workspace = None
    # `--local` of `reproduce` says where the job runs again, not where it ran.
    if not is_service and (not options.local or options.command == "reproduce"):
        workspace = configured_workspace(repository, options.profile)
    if request.plot:
        options.plot_prefix = ensure_packages_venv(request.plot, folder)
    needs_azure = is_service or workspace is not None
    if is_under_pants and (needs_azure or options.command in _LONG_COMMANDS):
        prefix = None
        if needs_azure or options.noun == "ui":
            packages = request.ui if options.noun == "ui" else request.azure
            prefix = ensure_packages_venv(packages, folder)
        hidden = ["--repository", str(repository)]
        if options.plot_prefix:
            hidden += ["--plot-prefix", options.plot_prefix]
        return exec_after_pants(["workspace", *hidden, *arguments], prefix)
    return _run(options, workspace, repository)


def _component_run(options: argparse.Namespace) -> list[str]:
    """Return the arguments of `./pants run` that register a component."""
    profile = ["--profile", options.profile] if options.profile else []
    flags = [f"--{flag}" for flag in ("local", "login") if getattr(options, flag)]
    return [options.address, "--", *flags, *profile]


def _run(options: argparse.Namespace, workspace: AzureWorkspace | None, repository: Path) -> int:
    match options.noun:
        case "jobs" if options.command == "reproduce":
            from azureml_jobs.cli.reproduce import reproduce_job

            return reproduce_job(workspace, repository, options)
        case "jobs":
            from azureml_jobs.cli.jobs import run_jobs

            return run_jobs(workspace, repository, options)
        case "data" | "models" | "components":
            from azureml_jobs.cli.assets import run_assets

            return run_assets(workspace, repository, options)
        case "endpoints":
            from azureml_jobs.cli.assets import run_endpoints

            return run_endpoints(workspace, options)
        case "ui":
            from azureml_jobs.cli.ui import show_ui

            return show_ui(workspace, repository, options)
        case "service":
            return serve_standin(repository, options)
        case _:
            from azureml_jobs.azure.doctor import check_all  # pants: no-infer-dep

            return check_all(workspace, options.login, options.deep, options.compute)


_PACKAGE_FOLDER = Path(__file__).resolve().parents[3] / "azureml-standin"


def serve_standin(repository: Path, options: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or while the given command runs."""
    # Nothing else imports it, so that its folder can be removed.
    sys.path.append(str(_PACKAGE_FOLDER))
    from azureml_standin.command import serve  # pants: no-infer-dep

    return serve(repository, options)

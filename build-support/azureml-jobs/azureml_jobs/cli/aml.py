"""Run `./pants run :aml -- …`, on a workspace in Azure or on the local one."""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.exec_after_pants import exec_after_pants, exec_command
from azureml_jobs.base.workspace_config import AzureWorkspace, configured_workspace
from azureml_jobs.cli.aml_parser import aml_parser
from azureml_jobs.cli.options import split_request
from azureml_jobs.local.run_environment import ensure_packages_venv
from azureml_jobs.protocol import WorkspaceRequest

# These take long, and Pants would keep other commands waiting meanwhile.
_LONG_COMMANDS = frozenset({"stream", "cancel", "download", "register", "reproduce", "ui"})

# A module is imported only when its command runs.
_COMMANDS = {
    "jobs": "azureml_jobs.cli.jobs:run_jobs",
    "reproduce": "azureml_jobs.cli.reproduce:reproduce_job",
    **dict.fromkeys(("data", "models", "components"), "azureml_jobs.cli.assets:run_assets"),
    "endpoints": "azureml_jobs.cli.assets:run_endpoints",
    "ui": "azureml_jobs.cli.ui:show_ui",
    "service": "azureml_jobs.cli.aml:serve_standin",
}
_STANDIN = Path(__file__).resolve().parents[3] / "azureml-standin"


def run_aml(arguments: Sequence[str]) -> int:
    """Run the command, after Pants has answered if it takes long or talks to Azure."""
    request, folder = WorkspaceRequest(), Path()
    if arguments[:1] == ["--request"]:
        file, arguments = split_request(arguments)
        request, folder = WorkspaceRequest.read(file), file.parent
    options = aml_parser().parse_args(arguments)
    is_under_pants = options.repository is None
    repository = Path.cwd() if is_under_pants else options.repository
    if (options.noun, options.command) == ("components", "register"):
        # Pants finds the code.
        profile = ["--profile", options.profile] if options.profile else []
        flags = [f"--{flag}" for flag in ("local", "login") if getattr(options, flag)]
        run = [str(repository / "pants"), "run", options.address]
        return exec_command([*run, "--", *flags, *profile])
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


def _run(options: argparse.Namespace, workspace: AzureWorkspace | None, repository: Path) -> int:
    if options.noun == "doctor":
        from azureml_jobs.azure.doctor import check_all  # pants: no-infer-dep

        return check_all(workspace, options.login, options.deep, options.compute)
    name = "reproduce" if options.command == "reproduce" else options.noun
    status: int = pkgutil.resolve_name(_COMMANDS[name])(workspace, repository, options)
    return status


def serve_standin(_: AzureWorkspace | None, repository: Path, options: argparse.Namespace) -> int:
    """Run the stand-in for Azure ML until Ctrl-C, or while the given command runs."""
    # Nothing else imports it, so that its folder can be removed.
    sys.path.append(str(_STANDIN))
    from azureml_standin.command import serve  # pants: no-infer-dep

    return serve(repository, options)

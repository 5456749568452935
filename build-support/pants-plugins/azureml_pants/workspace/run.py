"""The target `azureml_workspace`, and `run` of it: the job tool's commands for its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from azureml_jobs.protocol import WhyRequest, WorkspaceRequest
from azureml_pants.environment.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest, start_tool
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import (
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
    RunSubsystem,
)
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, Target
from pants.util.strutil import help_text


class AzureMLWorkspaceDependenciesField(Dependencies):
    pass


class AzureMLWorkspaceTarget(Target):
    alias = "azureml_workspace"
    core_fields = (*COMMON_TARGET_FIELDS, AzureMLWorkspaceDependenciesField)
    help = help_text("""
        The workspace in which jobs run, with commands to look at them and to manage them.

        Some of them: `run :aml -- jobs list`, `jobs show NAME`, `jobs stream NAME`, `jobs cancel
        NAME`, `jobs download NAME`, `ui`. `run :aml -- --help` lists all.

        Example: `azureml_workspace(name="aml")` in the BUILD file of the repository's root.
        """)


_UI_RESOLVE = "mlflow"
_UI_PACKAGES = ("azure-identity", "certifi", "mlflow", "python-dotenv", "PyYAML", "urllib3")


@dataclass(frozen=True)
class RunWorkspaceFieldSet(RunFieldSet):
    required_fields = (AzureMLWorkspaceDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED


@rule(desc="Set up the workspace's commands")
async def run_workspace(
    field_set: RunWorkspaceFieldSet,
    pex_env: PexEnvironment,
    run_goal: RunSubsystem,
) -> RunRequest:
    environment = pex_env.in_workspace()
    if run_goal.args[:1] == ("why",):
        tool, why = await MultiGet(Get(JobTool, JobToolRequest(environment)), Get(WhyRequest))
        return await start_tool(tool, "why", why, ())
    pages = page_packages(run_goal.args)
    tool, azure = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(AzurePackages, AzurePackagesRequest(environment, tuple(run_goal.args))),
    )
    installed = await MultiGet(
        Get(InstalledPackages, InstallPackagesRequest(_UI_RESOLVE, packages, environment))
        for packages in pages.values()
    )
    venvs = {name: each.venv for name, each in zip(pages, installed)}
    request = WorkspaceRequest(azure=azure.venv, **venvs)
    digests = (azure.digest, *(each.digest for each in installed))
    return await start_tool(tool, "workspace", request, digests)


def page_packages(arguments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what a command needs to show runs, by the field of `WorkspaceRequest` it is for."""
    wanted: dict[str, tuple[str, ...]] = {}
    if tuple(arguments[:1]) == ("ui",):
        wanted["ui"] = _UI_PACKAGES
    if any(argument.partition("=")[0] == "--plot" for argument in arguments):
        wanted["plot"] = ("matplotlib",)
    return wanted


def rules():
    return [*collect_rules(), *RunWorkspaceFieldSet.rules()]

"""`run` of the workspace: the job tool's commands for its jobs."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.workspace.target_types import AzureMLWorkspaceDependenciesField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest, RunSubsystem
from pants.engine.fs import Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunWorkspaceFieldSet(RunFieldSet):
    required_fields = (AzureMLWorkspaceDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED


@rule(desc="Set up the workspace's commands")
async def run_workspace(
    field_set: RunWorkspaceFieldSet, pex_env: PexEnvironment, run_goal: RunSubsystem
) -> RunRequest:
    environment = pex_env.in_workspace()
    tool, azure = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(AzurePackages, AzurePackagesRequest(environment, tuple(run_goal.args))),
    )
    arguments: tuple[str, ...] = ()
    if azure.venv is not None:
        arguments = ("--azure", azure.venv.prefix, f"{{chroot}}/{azure.venv.seed}")
    return RunRequest(
        digest=await Get(Digest, MergeDigests((tool.digest, azure.digest))),
        args=tool.workspace_args("workspace", *arguments),
    )


def rules():
    return [*collect_rules(), *RunWorkspaceFieldSet.rules()]

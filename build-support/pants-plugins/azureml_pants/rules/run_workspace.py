"""`run` of the workspace: the job tool's commands to look at jobs and to steer them."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import AzureMLWorkspaceDependenciesField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.engine.rules import Get, collect_rules, rule


@dataclass(frozen=True)
class RunWorkspaceFieldSet(RunFieldSet):
    required_fields = (AzureMLWorkspaceDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED


@rule(desc="Prepare the workspace's commands")
async def run_workspace(field_set: RunWorkspaceFieldSet, pex_env: PexEnvironment) -> RunRequest:
    tool = await Get(JobTool, JobToolRequest(pex_env.in_workspace()))
    return RunRequest(digest=tool.digest, args=tool.workspace_args("workspace"))


def rules():
    return [*collect_rules(), *RunWorkspaceFieldSet.rules()]

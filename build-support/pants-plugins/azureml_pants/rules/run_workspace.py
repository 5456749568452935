"""`run` of the workspace: the job tool's commands to look at jobs and to run_aml them."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.rules.submitter import Submitter, SubmitterRequest
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import AzureMLWorkspaceDependenciesField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest, RunSubsystem
from pants.engine.fs import Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunWorkspaceFieldSet(RunFieldSet):
    required_fields = (AzureMLWorkspaceDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED


@rule(desc="Prepare the workspace's commands")
async def run_workspace(
    field_set: RunWorkspaceFieldSet, pex_env: PexEnvironment, run_goal: RunSubsystem
) -> RunRequest:
    environment = pex_env.in_workspace()
    tool, submitter = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(Submitter, SubmitterRequest(environment, tuple(run_goal.args))),
    )
    azure: tuple[str, ...] = ()
    if submitter.venv is not None:
        azure = ("--azure", submitter.venv.prefix, f"{{chroot}}/{submitter.venv.seed}")
    return RunRequest(
        digest=await Get(Digest, MergeDigests((tool.digest, submitter.digest))),
        args=tool.workspace_args("workspace", *azure),
    )


def rules():
    return [*collect_rules(), *RunWorkspaceFieldSet.rules()]

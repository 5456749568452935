"""`run` of a job: start the job tool, which submits it or runs it on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.code.job_code import JobFieldSet
from azureml_pants.job.inputs import JobInputs
from azureml_pants.job.run_inputs import RunInputsRequest
from azureml_pants.job_tool.debugger import DebugRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest, start_tool
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
    RunSubsystem,
)
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunJobFieldSet(RunFieldSet, JobFieldSet):
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    supports_debug_adapter = True


@rule(desc="Set up a job")
async def run_job(
    field_set: RunJobFieldSet, pex_env: PexEnvironment, run_goal: RunSubsystem
) -> RunRequest:
    environment = pex_env.in_workspace()
    # At the same time: in a fresh clone either takes long.
    tool, inputs = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(
            JobInputs,
            RunInputsRequest(JobFieldSet.of(field_set), tuple(run_goal.args), environment),
        ),
    )
    return await start_tool(tool, "job", inputs.request, (inputs.digest,))


@rule
async def debug_job(field_set: RunJobFieldSet) -> RunDebugAdapterRequest:
    run = await Get(RunRequest, RunJobFieldSet, field_set)
    return await Get(RunDebugAdapterRequest, DebugRequest(run))


def rules():
    return [*collect_rules(), *RunJobFieldSet.rules()]

"""`run` of a job: start the job tool, which submits it or runs it on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import only_docker
from azureml_jobs.protocol import REQUEST_FILE, RuntimeOptions
from azureml_pants.code.job_code import JobFieldSet
from azureml_pants.code.job_fields import AzureMLJobEntryPointField, AzureMLJobSourceField
from azureml_pants.code.job_units import JobUnits, JobUnitsRequest
from azureml_pants.job.inputs import JobInputs, JobInputsRequest
from azureml_pants.job.local_packages import LocalPackages, LocalPackagesRequest
from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
from azureml_pants.job_tool.debugger import DebugRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.job_tool.message import request_file
from pants.backend.python.target_types import PythonResolveField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
    RunSubsystem,
)
from pants.engine.fs import CreateDigest, Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule

# With these arguments the job tool only prints something.
PRINT_ONLY = frozenset({"--dry-run", "--help", "-h"})


@dataclass(frozen=True)
class RunJobFieldSet(RunFieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobEntryPointField)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    supports_debug_adapter = True

    source: AzureMLJobSourceField
    entry_point: AzureMLJobEntryPointField
    resolve: PythonResolveField


@rule(desc="Set up a job")
async def run_job(
    field_set: RunJobFieldSet,
    pex_env: PexEnvironment,
    run_goal: RunSubsystem,
    options: RuntimeOptions,
) -> RunRequest:
    environment = pex_env.in_workspace()
    inputs, tool, read = await MultiGet(
        Get(JobInputs, JobInputsRequest(JobFieldSet.of(field_set))),
        Get(JobTool, JobToolRequest(environment)),
        Get(JobUnits, JobUnitsRequest(field_set.source.path)),
    )
    request, digests = replace(inputs.request, options=options), [tool.digest, inputs.digest]
    # Nothing is installed for a job that does not run, and no packages for one that runs in Docker.
    if not request.errors and not PRINT_ONLY.intersection(run_goal.args):
        azure = await Get(AzurePackages, AzurePackagesRequest(environment, tuple(run_goal.args)))
        request = replace(request, azure=azure.venv)
        digests.append(azure.digest)
        if azure.venv is None and read.runs_here:
            in_docker = only_docker(options.runtime, run_goal.args)
            units = () if in_docker else request.units
            packages = await Get(
                LocalPackages, LocalPackagesRequest(units, read.has_sweep, environment)
            )
            request = replace(
                request, units=packages.units or request.units, search=packages.search
            )
            digests.append(packages.digest)
    digests.append(await Get(Digest, CreateDigest, request_file(request)))
    return RunRequest(
        digest=await Get(Digest, MergeDigests(digests)),
        args=tool.workspace_args("job", "--request", f"{{chroot}}/{REQUEST_FILE}"),
    )


@rule
async def debug_job(field_set: RunJobFieldSet) -> RunDebugAdapterRequest:
    run = await Get(RunRequest, RunJobFieldSet, field_set)
    return await Get(RunDebugAdapterRequest, DebugRequest(run))


def rules():
    return [*collect_rules(), *RunJobFieldSet.rules()]

"""`run` of a job: start the job tool, which submits it or runs it on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import only_docker
from azureml_jobs.protocol import REQUEST_FILE, PackagesVenv, RuntimeOptions, UnitFiles
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
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment, PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
    RunSubsystem,
)
from pants.engine.fs import EMPTY_DIGEST, CreateDigest, Digest, MergeDigests
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


@dataclass(frozen=True)
class JobPackagesRequest:
    """`arguments` are those of the run; `runs_here` says that it may run on this machine."""

    units: tuple[UnitFiles, ...]
    runs_here: bool
    has_sweep: bool
    arguments: tuple[str, ...]
    environment: CompletePexEnvironment


@dataclass(frozen=True)
class JobPackages:
    """Virtual environments, and in `digest` the scripts that recreate them."""

    units: tuple[UnitFiles, ...]
    azure: PackagesVenv | None = None
    search: PackagesVenv | None = None
    digest: Digest = EMPTY_DIGEST


@rule
async def install_job_packages(request: JobPackagesRequest, options: RuntimeOptions) -> JobPackages:
    environment, arguments = request.environment, request.arguments
    azure = await Get(AzurePackages, AzurePackagesRequest(environment, arguments))
    if azure.venv or not request.runs_here:
        return JobPackages(request.units, azure.venv, digest=azure.digest)
    # Nothing for a job that runs in Docker.
    units = () if only_docker(options.runtime, arguments) else request.units
    packages = await Get(LocalPackages, LocalPackagesRequest(units, request.has_sweep, environment))
    return JobPackages(
        packages.units or request.units,
        search=packages.search,
        digest=await Get(Digest, MergeDigests((azure.digest, packages.digest))),
    )


@rule(desc="Set up a job")
async def run_job(
    field_set: RunJobFieldSet,
    pex_env: PexEnvironment,
    run_goal: RunSubsystem,
    options: RuntimeOptions,
) -> RunRequest:
    environment, arguments = pex_env.in_workspace(), tuple(run_goal.args)
    inputs, read = await MultiGet(
        Get(JobInputs, JobInputsRequest(JobFieldSet.of(field_set))),
        Get(JobUnits, JobUnitsRequest(field_set.source.path)),
    )
    request, wanted = inputs.request, JobToolRequest(environment)
    if request.errors or PRINT_ONLY.intersection(arguments):
        tool, packages = await Get(JobTool, JobToolRequest, wanted), JobPackages(request.units)
    else:
        # At the same time: in a fresh clone either takes long.
        tool, packages = await MultiGet(
            Get(JobTool, JobToolRequest, wanted),
            Get(
                JobPackages,
                JobPackagesRequest(
                    request.units, read.runs_here, read.has_sweep, arguments, environment
                ),
            ),
        )
    request = replace(
        request,
        options=options,
        units=packages.units,
        azure=packages.azure,
        search=packages.search,
    )
    message = await Get(Digest, CreateDigest, request_file(request))
    return RunRequest(
        digest=await Get(
            Digest, MergeDigests((tool.digest, inputs.digest, packages.digest, message))
        ),
        args=tool.workspace_args("job", "--request", f"{{chroot}}/{REQUEST_FILE}"),
    )


@rule
async def debug_job(field_set: RunJobFieldSet) -> RunDebugAdapterRequest:
    run = await Get(RunRequest, RunJobFieldSet, field_set)
    return await Get(RunDebugAdapterRequest, DebugRequest(run))


def rules():
    return [*collect_rules(), *RunJobFieldSet.rules()]

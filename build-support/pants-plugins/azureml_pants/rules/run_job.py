"""`run` of a job: hand it to the job tool, which submits it or runs it locally."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import only_docker
from azureml_jobs.protocol import REQUEST_FILE, RuntimeOptions
from azureml_pants.rules.debugger import DebugRequest
from azureml_pants.rules.entry_points import JobInferenceFieldSet
from azureml_pants.rules.job_inputs import JobInputs, JobInputsRequest, request_file
from azureml_pants.rules.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.rules.submitter import Submitter, SubmitterRequest
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import AzureMLJobEntryPointField, AzureMLJobSourceField
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

# Arguments of the job tool with which it only tells something.
NOT_RUN = frozenset({"--dry-run", "--help", "-h"})


@dataclass(frozen=True)
class RunJobFieldSet(RunFieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobEntryPointField)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    supports_debug_adapter = True

    source: AzureMLJobSourceField
    entry_point: AzureMLJobEntryPointField
    resolve: PythonResolveField


@rule(desc="Prepare a job")
async def run_job(
    field_set: RunJobFieldSet,
    pex_env: PexEnvironment,
    run_goal: RunSubsystem,
    options: RuntimeOptions,
) -> RunRequest:
    environment = pex_env.in_workspace()
    inputs, tool = await MultiGet(
        Get(JobInputs, JobInputsRequest(JobInferenceFieldSet.of(field_set))),
        Get(JobTool, JobToolRequest(environment)),
    )
    request, digests = replace(inputs.request, options=options), [tool.digest, inputs.digest]
    # A job that will not run is not worth an installation, nor is one that has an image for sure.
    if not request.errors and not NOT_RUN.intersection(run_goal.args):
        submitter = await Get(Submitter, SubmitterRequest(environment, tuple(run_goal.args)))
        request = replace(request, azure=submitter.venv)
        digests.append(submitter.digest)
        if submitter.venv is None and not only_docker(options.runtime, run_goal.args):
            packages = await Get(
                InstalledPackages, InstallPackagesRequest(field_set.address, environment)
            )
            request = replace(request, venv=packages.venv)
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

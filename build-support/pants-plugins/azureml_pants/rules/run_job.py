"""`run` of a job: hand it to the job tool, which submits it or runs it locally."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.snapshot.request import REQUEST_FILE
from azureml_pants.rules.entry_points import JobInferenceFieldSet
from azureml_pants.rules.job_inputs import JobInputs, JobInputsRequest, request_file
from azureml_pants.rules.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.rules.submitter import Submitter, SubmitterRequest
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import AzureMLJobEntryPointField, AzureMLJobSourceField
from pants.backend.python.target_types import PythonResolveField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest, RunSubsystem
from pants.engine.fs import CreateDigest, Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule

# Arguments of the job tool with which it only tells something.
NOT_RUN = frozenset({"--dry-run", "--help", "-h"})


@dataclass(frozen=True)
class RunJobFieldSet(RunFieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobEntryPointField)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    source: AzureMLJobSourceField
    entry_point: AzureMLJobEntryPointField
    resolve: PythonResolveField


@rule(desc="Prepare a job")
async def run_job(
    field_set: RunJobFieldSet, pex_env: PexEnvironment, run_goal: RunSubsystem
) -> RunRequest:
    environment = pex_env.in_workspace()
    inputs, tool = await MultiGet(
        Get(JobInputs, JobInputsRequest(JobInferenceFieldSet.of(field_set))),
        Get(JobTool, JobToolRequest(environment)),
    )
    request, digests = inputs.request, [tool.digest, inputs.digest]
    # A job that will not run is not worth an installation.
    if not request.mistakes and not NOT_RUN.intersection(run_goal.args):
        packages, submitter = await MultiGet(
            Get(InstalledPackages, InstallPackagesRequest(field_set.address, environment)),
            Get(Submitter, SubmitterRequest(environment, tuple(run_goal.args))),
        )
        request = replace(request, venv=packages.venv, azure=submitter.venv)
        digests += [packages.digest, submitter.digest]
    digests.append(await Get(Digest, CreateDigest, request_file(request)))
    return RunRequest(
        digest=await Get(Digest, MergeDigests(digests)),
        args=tool.workspace_args("job", "--request", f"{{chroot}}/{REQUEST_FILE}"),
    )


def rules():
    return [*collect_rules(), *RunJobFieldSet.rules()]

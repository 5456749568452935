"""`run` of a local script, on a copy of its closure and with the packages of its job."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.snapshot.request import REQUEST_FILE, SOURCES_FOLDER, ScriptRequest
from azureml_pants.rules.closure import Closure, ClosureRequest
from azureml_pants.rules.entry_points import (
    EntryPointOwners,
    LocalEntryPointRequest,
    LocalInferenceFieldSet,
)
from azureml_pants.rules.imports import ImportMistakes, ImportMistakesRequest
from azureml_pants.rules.job_inputs import request_file, unowned_mistakes
from azureml_pants.rules.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import AzureMLLocalEntryPointField
from pants.backend.python.target_types import PythonResolveField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.engine.fs import AddPrefix, CreateDigest, Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunLocalFieldSet(RunFieldSet):
    required_fields = (AzureMLLocalEntryPointField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    entry_point: AzureMLLocalEntryPointField
    resolve: PythonResolveField


@rule(desc="Prepare a local script")
async def run_local_script(field_set: RunLocalFieldSet, pex_env: PexEnvironment) -> RunRequest:
    environment = pex_env.in_workspace()
    found, tool, closure = await MultiGet(
        Get(
            EntryPointOwners,
            LocalEntryPointRequest(
                LocalInferenceFieldSet(field_set.address, field_set.entry_point, field_set.resolve)
            ),
        ),
        Get(JobTool, JobToolRequest(environment)),
        Get(Closure, ClosureRequest(field_set.address)),
    )
    # Beginning with the script: what only the job needs may come with the job's environment.
    imports = await Get(
        ImportMistakes, ImportMistakesRequest(tuple(found.addresses), is_locked=True)
    )
    request = ScriptRequest(
        address=str(field_set.address),
        script=found.files[0] if found.files else None,
        files=closure.files,
        mistakes=(
            *unowned_mistakes(f"{field_set.address}: entry_point", found, "the BUILD file"),
            *imports.messages,
        ),
    )
    digests = [tool.digest, await Get(Digest, AddPrefix(closure.digest, SOURCES_FOLDER))]
    if not request.mistakes:
        packages = await Get(
            InstalledPackages, InstallPackagesRequest(field_set.address, environment)
        )
        request = replace(request, venv=packages.venv)
        digests.append(packages.digest)
    digests.append(await Get(Digest, CreateDigest, request_file(request)))
    return RunRequest(
        digest=await Get(Digest, MergeDigests(digests)),
        args=tool.workspace_args("local", "--request", f"{{chroot}}/{REQUEST_FILE}", "--"),
    )


def rules():
    return [*collect_rules(), *RunLocalFieldSet.rules()]

"""`run` of what uses an experiment's code beside its job: the local script, a shell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.snapshot.request import REQUEST_FILE, SOURCES_FOLDER, ScriptRequest
from azureml_pants.rules.closure import Closure, ClosureRequest
from azureml_pants.rules.debugger import DebugRequest
from azureml_pants.rules.entry_points import (
    EntryPointOwners,
    LocalEntryPointRequest,
    LocalInferenceFieldSet,
)
from azureml_pants.rules.job_inputs import request_file, unowned_mistakes
from azureml_pants.rules.runtime import ScriptRuntime, ScriptRuntimeRequest
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import (
    AzureMLImageField,
    AzureMLLocalEntryPointField,
    AzureMLTerminalDependenciesField,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
)
from pants.engine.addresses import Address
from pants.engine.fs import AddPrefix, CreateDigest, Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunScriptRequest:
    """Start the job tool's `command` on the closure of `address`."""

    command: str
    address: Address
    image: AzureMLImageField
    resolve: PythonResolveField
    script: str | None = None
    mistakes: tuple[str, ...] = ()


@rule(desc="Prepare a script")
async def run_script(
    request: RunScriptRequest, pex_env: PexEnvironment, python_setup: PythonSetup
) -> RunRequest:
    environment = pex_env.in_workspace()
    tool, closure = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(Closure, ClosureRequest(request.address)),
    )
    script = ScriptRequest(
        str(request.address), request.script, closure.files, mistakes=request.mistakes
    )
    digests = [tool.digest, await Get(Digest, AddPrefix(closure.digest, SOURCES_FOLDER))]
    # What will not run is not worth an installation.
    if not script.mistakes:
        runtime = await Get(
            ScriptRuntime,
            ScriptRuntimeRequest(
                request.address,
                request.image,
                request.resolve.normalized_value(python_setup),
                closure.requirements,
                environment,
            ),
        )
        digests.append(runtime.digest)
        script = replace(
            script,
            venv=runtime.venv,
            image=runtime.image,
            layered=runtime.layered,
            options=runtime.options,
        )
    digests.append(await Get(Digest, CreateDigest, request_file(script)))
    return RunRequest(
        digest=await Get(Digest, MergeDigests(digests)),
        args=tool.workspace_args(request.command, "--request", f"{{chroot}}/{REQUEST_FILE}", "--"),
    )


@dataclass(frozen=True)
class RunLocalFieldSet(RunFieldSet):
    required_fields = (AzureMLLocalEntryPointField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    supports_debug_adapter = True

    entry_point: AzureMLLocalEntryPointField
    image: AzureMLImageField
    resolve: PythonResolveField


@rule(desc="Prepare a local script")
async def run_local_script(field_set: RunLocalFieldSet) -> RunRequest:
    found = await Get(
        EntryPointOwners,
        LocalEntryPointRequest(
            LocalInferenceFieldSet(field_set.address, field_set.entry_point, field_set.resolve)
        ),
    )
    return await Get(
        RunRequest,
        RunScriptRequest(
            "local",
            field_set.address,
            field_set.image,
            field_set.resolve,
            script=found.files[0] if found.files else None,
            mistakes=unowned_mistakes(f"{field_set.address}: entry_point", found, "the BUILD file"),
        ),
    )


@rule
async def debug_local_script(field_set: RunLocalFieldSet) -> RunDebugAdapterRequest:
    run = await Get(RunRequest, RunLocalFieldSet, field_set)
    return await Get(RunDebugAdapterRequest, DebugRequest(run))


@dataclass(frozen=True)
class RunTerminalFieldSet(RunFieldSet):
    required_fields = (AzureMLTerminalDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    image: AzureMLImageField
    resolve: PythonResolveField


@rule(desc="Prepare a shell")
async def run_terminal(field_set: RunTerminalFieldSet) -> RunRequest:
    return await Get(
        RunRequest,
        RunScriptRequest("terminal", field_set.address, field_set.image, field_set.resolve),
    )


def rules():
    return [*collect_rules(), *RunLocalFieldSet.rules(), *RunTerminalFieldSet.rules()]

"""`run` of what uses an experiment's code beside its job: the local script, a shell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.protocol import REQUEST_FILE, SOURCES_FOLDER, ClosureFile, ScriptRequest
from azureml_pants.rules.closure import Closure, ClosureRequest
from azureml_pants.rules.debugger import DebugRequest
from azureml_pants.rules.entry_points import (
    EntryPointOwners,
    LocalEntryPointRequest,
    LocalInferenceFieldSet,
)
from azureml_pants.rules.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.rules.job_inputs import request_file, unowned_errors
from azureml_pants.rules.runtime import ScriptRuntime, ScriptRuntimeRequest
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import (
    AzureMLImageField,
    AzureMLLocalEntryPointField,
    AzureMLTerminalDependenciesField,
    AzureMLTestDependenciesField,
)
from pants.backend.python.subsystems.pytest import PyTest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField, PythonTestSourceField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
)
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.engine.addresses import Address
from pants.engine.fs import (
    EMPTY_SNAPSHOT,
    AddPrefix,
    CreateDigest,
    Digest,
    MergeDigests,
    Snapshot,
)
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import DependenciesRequest, Targets


@dataclass(frozen=True)
class RunScriptRequest:
    """Start the job tool's `command` on the closure of `address`."""

    command: str
    address: Address
    image: AzureMLImageField
    resolve: PythonResolveField
    script: str | None = None
    entry_points: tuple[Address, ...] = ()
    errors: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    # Files beside the closure, such as pytest's settings, by their paths in the repository.
    settings: Snapshot = EMPTY_SNAPSHOT
    in_image: bool = False


@rule(desc="Prepare a script")
async def run_script(
    request: RunScriptRequest, pex_env: PexEnvironment, python_setup: PythonSetup
) -> RunRequest:
    environment = pex_env.in_workspace()
    tool, closure = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(Closure, ClosureRequest(request.address)),
    )
    # With an image of ours everything has to be locked; otherwise what only the job needs may come
    # with its environment.
    imports = await Get(
        ImportErrors,
        ImportErrorsRequest(
            (request.address,) if request.image.value else request.entry_points, is_locked=True
        ),
    )
    script = ScriptRequest(
        str(request.address),
        request.script,
        (
            *closure.files,
            *(ClosureFile(path, "", "", "settings") for path in request.settings.files),
        ),
        errors=(*request.errors, *imports.messages),
        tests=request.tests,
    )
    sources = await Get(Digest, MergeDigests((closure.digest, request.settings.digest)))
    digests = [tool.digest, await Get(Digest, AddPrefix(sources, SOURCES_FOLDER))]
    # What will not run is not worth an installation.
    if not script.errors:
        runtime = await Get(
            ScriptRuntime,
            ScriptRuntimeRequest(
                request.address,
                request.image,
                request.resolve.normalized_value(python_setup),
                closure.requirements,
                environment,
                request.in_image,
            ),
        )
        digests.append(runtime.digest)
        script = replace(
            script,
            venv=runtime.venv,
            image=runtime.image,
            adds_packages=runtime.adds_packages,
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
            entry_points=found.addresses,
            errors=unowned_errors(f"{field_set.address}: entry_point", found, "the BUILD file"),
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


@dataclass(frozen=True)
class RunTestsFieldSet(RunFieldSet):
    required_fields = (AzureMLTestDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    dependencies: AzureMLTestDependenciesField
    image: AzureMLImageField
    resolve: PythonResolveField


@rule(desc="Prepare tests in an image")
async def run_tests(field_set: RunTestsFieldSet, pytest: PyTest) -> RunRequest:
    targets = await Get(Targets, DependenciesRequest(field_set.dependencies))
    tests = tuple(
        target[PythonTestSourceField].file_path
        for target in targets
        if target.has_field(PythonTestSourceField)
    )
    # As for Pants' own goal; of settings in several folders pytest reads one.
    settings = await Get(ConfigFiles, ConfigFilesRequest, pytest.config_request([""]))
    return await Get(
        RunRequest,
        RunScriptRequest(
            "tests",
            field_set.address,
            field_set.image,
            field_set.resolve,
            tests=tests,
            settings=settings.snapshot,
            in_image=True,
        ),
    )


def rules():
    return [
        *collect_rules(),
        *RunLocalFieldSet.rules(),
        *RunTerminalFieldSet.rules(),
        *RunTestsFieldSet.rules(),
    ]

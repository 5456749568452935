"""`run` of a local script, of a shell and of tests, and what the script depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import DOCKER, VENV
from azureml_jobs.protocol import SOURCES_FOLDER, NeededFile, RuntimeOptions, ScriptRequest
from azureml_pants.code.command_targets import LocalCode, LocalFieldSet
from azureml_pants.code.loaded_code import (
    CheckedCode,
    CheckedCodeRequest,
    LoadedCode,
    LoadedCodeRequest,
)
from azureml_pants.code.script_code import ScriptCode, ScriptCodeRequest
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.packages import (
    InstalledPackages,
    InstallPackagesRequest,
    LockedRequirements,
    LockedRequirementsRequest,
)
from azureml_pants.environment.runtime import NamedImage, NamedImageRequest
from azureml_pants.job_tool.debugger import DebugRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest, start_tool
from azureml_pants.script.target_types import (
    AzureMLTerminalDependenciesField,
    AzureMLTestDependenciesField,
)
from pants.backend.python.subsystems.pytest import PyTest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField, PythonTestSourceField
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment, PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
)
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.engine.fs import EMPTY_SNAPSHOT, AddPrefix, Digest, MergeDigests, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    DependenciesRequest,
    InferDependenciesRequest,
    InferredDependencies,
    Targets,
)
from pants.engine.unions import UnionRule


@dataclass(frozen=True)
class RunScriptRequest:
    """Start the job tool's `command` on `code`.

    `settings` are more files, such as pytest's settings, by their paths in the repository.
    """

    command: str
    image: AzureMLImageField
    code: ScriptCode
    script: str | None = None
    errors: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    settings: Snapshot = EMPTY_SNAPSHOT
    in_image: bool = False


async def add_runtime(
    script: ScriptRequest,
    request: RunScriptRequest,
    requirements: tuple[str, ...],
    environment: CompletePexEnvironment,
) -> tuple[ScriptRequest, list[Digest]]:
    """Add what the script may run in, and return it with the digests that this needs."""
    code, digests = request.code.request, list[Digest]()
    if script.options.runtime != VENV and request.image.value:
        named = await Get(NamedImage, NamedImageRequest(code.address, request.image))
        adds_packages = not named.requirements.issuperset(requirements)
        script = replace(script, image=named.image, adds_packages=adds_packages)
        if adds_packages:
            locked = await Get(
                LockedRequirements, LockedRequirementsRequest(code.resolve, requirements)
            )
            digests.append(locked.digest)
    if script.options.runtime != DOCKER:
        packages = await Get(
            InstalledPackages, InstallPackagesRequest(code.resolve, requirements, environment)
        )
        script = replace(script, venv=packages.venv)
        digests.append(packages.digest)
    return script, digests


@rule(desc="Set up a script")
async def run_script(
    request: RunScriptRequest, pex_env: PexEnvironment, options: RuntimeOptions
) -> RunRequest:
    environment = pex_env.in_workspace()
    code = request.code.request
    tool, files = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        # Without an image, what only the job needs may come with the job's own environment.
        Get(CheckedCode, CheckedCodeRequest(code, bool(request.image.value))),
    )
    script = ScriptRequest(
        str(code.address),
        request.script,
        (
            *files.files,
            *(NeededFile(path, path, "", "settings") for path in request.settings.files),
        ),
        search_path=request.code.search_path,
        errors=(*request.errors, *files.errors),
        tests=request.tests,
        options=replace(options, runtime=DOCKER) if request.in_image else options,
    )
    sources = await Get(Digest, MergeDigests((files.digest, request.settings.digest)))
    digests = [await Get(Digest, AddPrefix(sources, SOURCES_FOLDER))]
    # Nothing is installed for a script that does not run.
    if not script.errors:
        script, more = await add_runtime(script, request, files.requirements, environment)
        digests += more
    return await start_tool(tool, request.command, script, digests, "--")


@dataclass(frozen=True)
class RunLocalFieldSet(RunFieldSet, LocalFieldSet):
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    supports_debug_adapter = True

    image: AzureMLImageField


@rule
async def run_local_script(field_set: RunLocalFieldSet) -> RunRequest:
    local = await Get(
        LocalCode,
        LocalFieldSet(field_set.address, field_set.entry_point, field_set.resolve),
    )
    point = local.point
    errors = (point.error,) if point.error else ()
    return await Get(
        RunRequest,
        RunScriptRequest("local", field_set.image, local.code, script=point.file, errors=errors),
    )


@rule
async def debug_local_script(field_set: RunLocalFieldSet) -> RunDebugAdapterRequest:
    run = await Get(RunRequest, RunLocalFieldSet, field_set)
    return await Get(RunDebugAdapterRequest, DebugRequest(run))


class InferLocalDependencies(InferDependenciesRequest):
    infer_from = LocalFieldSet


@rule(desc="Infer the dependencies of a local script")
async def infer_local_dependencies(request: InferLocalDependencies) -> InferredDependencies:
    local = await Get(LocalCode, LocalFieldSet, request.field_set)
    loaded = await Get(LoadedCode, LoadedCodeRequest, local.code.request)
    return InferredDependencies(loaded.dependencies)


@dataclass(frozen=True)
class RunTerminalFieldSet(RunFieldSet):
    required_fields = (AzureMLTerminalDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    image: AzureMLImageField
    resolve: PythonResolveField


@rule
async def run_terminal(field_set: RunTerminalFieldSet, python_setup: PythonSetup) -> RunRequest:
    resolve = field_set.resolve.normalized_value(python_setup)
    code = await Get(ScriptCode, ScriptCodeRequest(field_set.address, resolve))
    return await Get(RunRequest, RunScriptRequest("terminal", field_set.image, code))


@dataclass(frozen=True)
class RunTestsFieldSet(RunFieldSet):
    required_fields = (AzureMLTestDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    dependencies: AzureMLTestDependenciesField
    image: AzureMLImageField
    resolve: PythonResolveField


@rule
async def run_tests(
    field_set: RunTestsFieldSet, pytest: PyTest, python_setup: PythonSetup
) -> RunRequest:
    targets = await Get(Targets, DependenciesRequest(field_set.dependencies))
    tests = tuple(
        target[PythonTestSourceField].file_path
        for target in targets
        if target.has_field(PythonTestSourceField)
    )
    resolve = field_set.resolve.normalized_value(python_setup)
    code = await Get(ScriptCode, ScriptCodeRequest(field_set.address, resolve, tests=tests))
    # As for Pants' own goal: pytest reads one settings file, that of the build root.
    settings = await Get(ConfigFiles, ConfigFilesRequest, pytest.config_request([""]))
    return await Get(
        RunRequest,
        RunScriptRequest(
            "tests",
            field_set.image,
            code,
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
        UnionRule(InferDependenciesRequest, InferLocalDependencies),
    ]

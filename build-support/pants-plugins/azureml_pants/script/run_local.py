"""`run` of a local script, and what the script depends on."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.code.command_targets import (
    LocalCode,
    LocalCodeRequest,
    LocalFieldSet,
)
from azureml_pants.code.job_fields import AzureMLLocalEntryPointField
from azureml_pants.code.loaded_code import LoadedCode, LoadedCodeRequest
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.job_tool.debugger import DebugRequest
from azureml_pants.script.run_script import RunScriptRequest
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
)
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import InferDependenciesRequest, InferredDependencies
from pants.engine.unions import UnionRule


class InferLocalDependencies(InferDependenciesRequest):
    infer_from = LocalFieldSet


@rule(desc="Infer the dependencies of a local script")
async def infer_local_dependencies(request: InferLocalDependencies) -> InferredDependencies:
    local = await Get(LocalCode, LocalCodeRequest(request.field_set))
    loaded = await Get(LoadedCode, LoadedCodeRequest, local.code.request)
    return InferredDependencies(loaded.dependencies)


@dataclass(frozen=True)
class RunLocalFieldSet(RunFieldSet):
    required_fields = (AzureMLLocalEntryPointField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    supports_debug_adapter = True

    entry_point: AzureMLLocalEntryPointField
    image: AzureMLImageField
    resolve: PythonResolveField


@rule
async def run_local_script(field_set: RunLocalFieldSet) -> RunRequest:
    local = await Get(
        LocalCode,
        LocalCodeRequest(
            LocalFieldSet(field_set.address, field_set.entry_point, field_set.resolve)
        ),
    )
    point = local.point
    return await Get(
        RunRequest,
        RunScriptRequest(
            "local",
            field_set.address,
            field_set.image,
            local.code.request.resolve,
            local.code,
            script=point.file,
            errors=(point.error,) if point.error else (),
        ),
    )


@rule
async def debug_local_script(field_set: RunLocalFieldSet) -> RunDebugAdapterRequest:
    run = await Get(RunRequest, RunLocalFieldSet, field_set)
    return await Get(RunDebugAdapterRequest, DebugRequest(run))


def rules():
    return [
        *collect_rules(),
        *RunLocalFieldSet.rules(),
        UnionRule(InferDependenciesRequest, InferLocalDependencies),
    ]

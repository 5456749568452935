"""All code of a target that runs a command, for targets that depend on it."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.code.declared import TargetCode, TargetCodeRequest
from azureml_pants.code.entry_point import EntryPoint, EntryPointRequest
from azureml_pants.code.job_code import JobCode, JobFieldSet
from azureml_pants.code.job_fields import (
    AzureMLJobSourceField,
    AzureMLLocalDependenciesField,
    AzureMLLocalEntryPointField,
)
from azureml_pants.code.loaded_code import LoadedCode, LoadedCodeRequest
from azureml_pants.code.script_code import ScriptCode, ScriptCodeRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.fs import Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import FieldSet


@dataclass(frozen=True)
class LocalFieldSet(FieldSet):
    required_fields = (AzureMLLocalEntryPointField, AzureMLLocalDependenciesField)

    entry_point: AzureMLLocalEntryPointField
    resolve: PythonResolveField


@dataclass(frozen=True)
class LocalCode:
    """A local script with what it loads; `point` is what the target names."""

    point: EntryPoint
    code: ScriptCode


@rule
async def find_local_code(field_set: LocalFieldSet, python_setup: PythonSetup) -> LocalCode:
    point = await Get(
        EntryPoint, EntryPointRequest(field_set.address, field_set.entry_point.value or "")
    )
    code = await Get(
        ScriptCode,
        ScriptCodeRequest(
            field_set.address,
            field_set.resolve.normalized_value(python_setup),
            point.file,
            point.module,
        ),
    )
    return LocalCode(point, code)


@rule
async def find_target_code(request: TargetCodeRequest) -> TargetCode:
    requests: tuple[LoadedCodeRequest, ...]
    if request.target.has_field(AzureMLJobSourceField):
        job = await Get(JobCode, JobFieldSet, JobFieldSet.create(request.target))
        requests = job.requests
    else:
        local = await Get(LocalCode, LocalFieldSet, LocalFieldSet.create(request.target))
        requests = (local.code.request,)
    loaded = await MultiGet(Get(LoadedCode, LoadedCodeRequest, each) for each in requests)
    return TargetCode(
        request.target.address,
        tuple(file for code in loaded for file in code.files),
        await Get(Digest, MergeDigests(code.generated for code in loaded)),
        tuple(sorted({name for code in loaded for name in code.requirements})),
    )

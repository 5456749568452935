"""`run` of a local script."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.code.entry_points import EntryPointOwners, unowned_errors
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.job_tool.debugger import DebugRequest
from azureml_pants.script.entry_point import LocalEntryPointRequest, LocalFieldSet
from azureml_pants.script.run_script import RunScriptRequest
from azureml_pants.script.target_types import AzureMLLocalEntryPointField
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
)
from pants.engine.rules import Get, collect_rules, rule


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
    found = await Get(
        EntryPointOwners,
        LocalEntryPointRequest(
            LocalFieldSet(field_set.address, field_set.entry_point, field_set.resolve)
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


def rules():
    return [*collect_rules(), *RunLocalFieldSet.rules()]

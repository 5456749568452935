"""The entry point of a local script, which is its first dependency."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.jobfile.command.entry_point import declared_entry_point
from azureml_pants.code.entry_points import EntryPointOwners, EntryPointOwnersRequest
from azureml_pants.script.target_types import (
    AzureMLLocalDependenciesField,
    AzureMLLocalEntryPointField,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import FieldSet, InferDependenciesRequest, InferredDependencies
from pants.engine.unions import UnionRule


@dataclass(frozen=True)
class LocalFieldSet(FieldSet):
    required_fields = (AzureMLLocalEntryPointField, AzureMLLocalDependenciesField)

    entry_point: AzureMLLocalEntryPointField
    resolve: PythonResolveField


@dataclass(frozen=True)
class LocalEntryPointRequest:
    field_set: LocalFieldSet


@rule
async def find_local_entry_point(
    request: LocalEntryPointRequest, python_setup: PythonSetup
) -> EntryPointOwners:
    field_set = request.field_set
    return await Get(
        EntryPointOwners,
        EntryPointOwnersRequest(
            address=field_set.address,
            resolve=field_set.resolve.normalized_value(python_setup),
            folders=(field_set.address.spec_path,),
            entry_points=(declared_entry_point(field_set.entry_point.value or ""),),
        ),
    )


class InferLocalDependencies(InferDependenciesRequest):
    infer_from = LocalFieldSet


@rule(desc="Infer the dependencies of a local script")
async def infer_local_dependencies(request: InferLocalDependencies) -> InferredDependencies:
    found = await Get(EntryPointOwners, LocalEntryPointRequest(request.field_set))
    return InferredDependencies(found.addresses)


def rules():
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferLocalDependencies)]

"""What a local script depends on: the code that it loads, and its packages."""

from __future__ import annotations

from azureml_pants.code.command_targets import LocalCode, LocalCodeRequest, LocalFieldSet
from azureml_pants.code.loaded_code import LoadedCode, LoadedCodeRequest
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


def rules():
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferLocalDependencies)]

"""Find what the inputs of steps are: values, data of this machine, outputs of other steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import COMPONENTS
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.jobfile.pipeline.model import (
    Binding,
    Data,
    InputDeclaration,
    Literal,
    ParentInput,
    Pipeline,
    Step,
    StepOutput,
)
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.local.inputs import ResolvedInput, resolve_input
from azureml_jobs.local.pipeline.reuse import fingerprint
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.registry import LocalRegistry, RegisteredVersion
from azureml_jobs.local.run_plan import RunPlan


@dataclass(frozen=True)
class Given:
    """An input that has a value; with the same `identity` it has the same content."""

    resolved: ResolvedInput
    identity: str

    def inside(self, inner: str, mode: str, where: str) -> Given:
        """Return the same input, or what is at the path `inner` in it, in the mode of a step."""
        if self.resolved.kind != "path":
            return self
        path = Path(self.resolved.value, inner)
        if not os.path.exists(path):
            raise JobError(where, f"there is no {path}", "The step before has to write it.")
        resolved = replace(self.resolved, value=str(path), mode=mode or None)
        return Given(resolved, f"{self.identity}/{inner}" if inner else self.identity)


def pipeline_of(plan: RunPlan) -> Pipeline:
    """Return the pipeline that the job is. Raises `JobError` for what `read_pipeline` refuses."""
    registry = LocalRegistry(Path(plan.repository, LOCAL_FOLDER))
    return read_pipeline(plan.documents, plan.job_file, registry.find_component)


def with_data(plan: RunPlan) -> tuple[RunPlan, dict[str, dict[str, Any]]]:
    """Return the plan of a pipeline with all data of this machine that its steps need.

    And its own inputs, as records keep them. Raises `JobError` for data and components that the
    local workspace does not have, and for sweeps with invalid values.
    """
    pipeline, repository = pipeline_of(plan), Path(plan.repository)
    registry = LocalRegistry(repository / LOCAL_FOLDER)
    for _, step in pipeline.walk():
        if step.component:
            component_of(step, registry)
        if step.kind == "sweep":
            read_sweep(step.node, step.where)
    inputs = [pipeline.given, *(step.inputs for _, step in pipeline.walk())]
    data = {
        _data_key(each): resolve_input(each.value, each.document, each.keys, repository)
        for given in inputs
        for each in given.values()
        if isinstance(each, Data)
    }
    given = Sources(data, {}, {}).bound(pipeline.given, pipeline.inputs, plan.job_file)
    recorded = {name: each.resolved.as_data() for name, each in given.items()}
    return replace(plan, data=data), recorded


def component_of(step: Step, registry: LocalRegistry) -> RegisteredVersion:
    """Return the registered component that a step names; raise `JobError` without it."""
    found = registry.find(COMPONENTS, step.component)
    if found is None:
        raise JobError(
            f"{step.where}.component",
            f"the local workspace has no component {step.component}",
            "Register it by `./pants run <its target> -- --local`, or name its file.",
        )
    return found


def _data_key(data: Data) -> str:
    # A component that two steps run may have data at a path that depends on a literal.
    return f"{data.document}: {'.'.join(data.keys)} = {data.value.get('path')}"


@dataclass(frozen=True)
class Sources:
    """Where the inputs of the steps of one pipeline come from.

    data: by `_data_key`.
    inputs: those of the pipeline that have a value.
    records: of steps that have ended.
    """

    data: Mapping[str, ResolvedInput]
    inputs: Mapping[str, Given]
    records: Mapping[str, JobRecord]

    def bound(
        self, inputs: Mapping[str, Binding], declared: Mapping[str, InputDeclaration], where: str
    ) -> dict[str, Given]:
        """Return the inputs that have a value, by their names."""
        found = {}
        for name, binding in inputs.items():
            given = self._given(binding, f"{where}.inputs.{name}")
            mode = declared[name].mode if name in declared else ""
            if given is not None:
                resolved = replace(given.resolved, mode=given.resolved.mode or mode)
                found[name] = replace(given, resolved=resolved)
        return found

    def _given(self, binding: Binding, where: str) -> Given | None:
        if isinstance(binding, Literal):
            return Given(ResolvedInput("literal", binding.text), binding.text)
        if isinstance(binding, Data):
            resolved = self.data[_data_key(binding)]
            if resolved.kind != "path":
                return Given(resolved, resolved.value)
            return Given(resolved, f"{resolved.value} {fingerprint(Path(resolved.value))}")
        if isinstance(binding, ParentInput):
            given = self.inputs.get(binding.name)
            return given and given.inside(binding.inner, binding.mode, where)
        return self._output(binding, where)

    def _output(self, binding: StepOutput, where: str) -> Given:
        record = self.records[binding.step]
        if binding.name not in record.outputs:
            raise JobError(where, f"the step `{binding.step}` has no output `{binding.name}`")
        resolved = ResolvedInput("path", record.outputs[binding.name])
        given = Given(resolved, f"{record.reused or record.name} {binding.name}")
        return given.inside(binding.inner, binding.mode, where)

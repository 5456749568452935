"""Find what the inputs of a step are: values, data of this machine, outputs of other steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.pipeline.model import (
    Binding,
    Data,
    InputDeclaration,
    Literal,
    ParentInput,
    Pipeline,
    StepOutput,
)
from azureml_jobs.local.fingerprint import fingerprint
from azureml_jobs.local.inputs import ResolvedInput, resolve_input
from azureml_jobs.local.record import JobRecord


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
        if not path.exists():
            raise JobError(where, f"there is no {path}", "The step before has to write it.")
        resolved = replace(self.resolved, value=str(path), mode=mode or None)
        return Given(resolved, f"{self.identity}/{inner}" if inner else self.identity)


def resolve_data(pipeline: Pipeline, repository: Path) -> dict[str, ResolvedInput]:
    """Return the data of all inputs of a pipeline and its steps, by `data_key`.

    Raises `JobError` for what this machine does not have.
    """
    return {
        data_key(data): resolve_input(data.value, data.document, data.keys, repository)
        for data in _data_of(pipeline)
    }


def data_key(data: Data) -> str:
    # A component that two steps run may have data at a path that depends on a literal.
    return f"{data.document}: {'.'.join(data.keys)} = {data.value.get('path')}"


def _data_of(pipeline: Pipeline) -> Iterator[Data]:
    inputs = [pipeline.given, *(step.inputs for _, step in pipeline.walk())]
    yield from (each for given in inputs for each in given.values() if isinstance(each, Data))


@dataclass(frozen=True)
class Sources:
    """Where the inputs of the steps of one pipeline come from.

    data: by `data_key`.
    inputs: those of the pipeline that have a value.
    records: of steps that have ended.
    """

    data: Mapping[str, ResolvedInput]
    inputs: Mapping[str, Given]
    records: Mapping[str, JobRecord]

    def bound(
        self,
        inputs: Mapping[str, Binding],
        declared: Mapping[str, InputDeclaration],
        where: str,
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
            resolved = self.data[data_key(binding)]
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

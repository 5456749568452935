"""The parts of a pipeline: steps, what they declare, and where their inputs come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union


@dataclass(frozen=True)
class Literal:
    """A value as the text that a command gets."""

    text: str


@dataclass(frozen=True)
class Data:
    """Data that the mapping `value` names by `path`, with `type` and `mode` if it has them.

    document, keys: where the mapping stands. The path is relative to the document's folder.
    """

    value: Mapping[str, Any]
    document: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class ParentInput:
    """An input of the pipeline that the step is in; never a literal one, whose text is known.

    `inner` is a path in the data, for `${{parent.inputs.folder}}/file.csv`.
    """

    name: str
    mode: str = ""
    inner: str = ""


@dataclass(frozen=True)
class StepOutput:
    """An output of a step of the same pipeline, or what is at `inner` in it."""

    step: str
    name: str
    mode: str = ""
    inner: str = ""


Binding = Union[Literal, Data, ParentInput, StepOutput]


@dataclass(frozen=True)
class InputDeclaration:
    """An input as a component or a pipeline declares it; `type` is empty where none is known."""

    type: str = ""
    is_optional: bool = False
    default: Any = None
    enum: tuple[Any, ...] = ()
    minimum: Any = None
    maximum: Any = None
    mode: str = ""


@dataclass(frozen=True)
class OutputDeclaration:
    """An output of a step or of a pipeline.

    asset, version: what it is registered as, mostly empty.
    """

    type: str = "uri_folder"
    mode: str = ""
    asset: str = ""
    version: str = ""


@dataclass(frozen=True)
class Settings:
    """What applies to all steps. A pipeline inside of another has those of the outermost one."""

    default_compute: str = ""
    continue_on_step_failure: bool = True
    force_rerun: bool = False
    on_init: str = ""
    on_finalize: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a pipeline.

    kind: `command`, `pipeline`, `sweep`, `parallel`, `spark`, `automl` and so on.
    document, keys: where the step stands.
    node: what holds for the step: the values of its component, with the step's own over them. That
        of a sweep has its trial in `trial`, likewise merged. Bindings to literals are replaced.
    code_unit, environment_unit: the names of the `CodeUnit`s whose code and whose environment it
        has; None where it has none of the repository.
    component: the name of a registered component, such as `azureml:train:1`, or empty.
    inputs: every input that has a value, defaults included.
    pipeline: the steps of a step that is a pipeline.
    after: the names of the steps that must end first.
    """

    name: str
    kind: str
    document: str
    keys: tuple[str, ...]
    node: Mapping[str, Any]
    code_unit: str | None = None
    environment_unit: str | None = None
    component: str = ""
    declared: Mapping[str, InputDeclaration] = field(default_factory=dict)
    inputs: Mapping[str, Binding] = field(default_factory=dict)
    outputs: Mapping[str, OutputDeclaration] = field(default_factory=dict)
    pipeline: Pipeline | None = None
    after: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.document}: {'.'.join(self.keys)}"


@dataclass(frozen=True)
class Pipeline:
    """A pipeline, its steps in an order in which each comes after those that it needs.

    inputs: what it declares; `given`: the values of its inputs, as seen from outside.
    outputs: what each of its outputs is, except for those that no step writes.
    """

    steps: tuple[Step, ...]
    inputs: Mapping[str, InputDeclaration] = field(default_factory=dict)
    given: Mapping[str, Binding] = field(default_factory=dict)
    outputs: Mapping[str, StepOutput] = field(default_factory=dict)
    settings: Settings = Settings()

    def walk(self, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Yield every step with the names that lead to it, those of inner pipelines after it."""
        for step in self.steps:
            yield (*above, step.name), step
            if step.pipeline is not None:
                yield from step.pipeline.walk((*above, step.name))

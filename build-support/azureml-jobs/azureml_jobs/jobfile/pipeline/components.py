"""Find what a step runs: its component, or what the step itself says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import CODE_TYPES, FILE_PREFIX, Node, is_flow, mapping_of
from azureml_jobs.jobfile.paths import local_path
from azureml_jobs.jobfile.pipeline.bindings import parent_name
from azureml_jobs.jobfile.pipeline.declarations import (
    input_declarations,
    output_declaration,
    output_declarations,
)
from azureml_jobs.jobfile.pipeline.model import InputDeclaration, OutputDeclaration
from azureml_jobs.jobfile.unit_code import code_keys
from azureml_jobs.jobfile.units import CodeUnit

FindComponent = Callable[[str], Mapping[str, Any] | None]
# What a component says of itself, and not of a step that runs it.
_OWN_KEYS = frozenset(
    "$schema name version display_name description tags inputs outputs jobs".split()
)


@dataclass(frozen=True)
class Definition:
    """What a step or a pipeline runs: the mapping at `keys` of a document.

    is_component: it is a component, which declares its inputs, and not the step or the job itself.
    registered: the name of a registered component, or empty. An unknown one has no `value`.
    """

    document: str
    keys: tuple[str, ...]
    value: Mapping[str, Any]
    is_component: bool = False
    registered: str = ""

    def where(self, key: str) -> str:
        return f"{self.document}: {'.'.join((*self.keys, key))}"

    @property
    def declared(self) -> dict[str, InputDeclaration]:
        """What a component declares. A prompt flow and what runs itself have inputs of any name."""
        is_open = not self.is_component or is_flow(self.value)
        return {} if is_open else input_declarations(self.value.get("inputs"))

    def merged(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Return what holds for a step with these values: its own, before those of a component."""
        given = {key: value for key, value in step.items() if key != "component"}
        if not self.is_component:
            return given
        if "trial" in step:
            return {**given, "trial": {**self.value, "type": "command"}}
        found = {key: value for key, value in self.value.items() if key not in _OWN_KEYS}
        variables = mapping_of(given.get("environment_variables"))
        if variables:
            given["environment_variables"] = {
                **mapping_of(found.get("environment_variables")),
                **variables,
            }
        return {**found, **{key: value for key, value in given.items() if value is not None}}


@dataclass(frozen=True)
class Components:
    """The documents of a job, its units of code, and the registered components."""

    documents: Mapping[str, Mapping[str, Any]]
    units: Iterable[CodeUnit]
    find: FindComponent | None

    def definition(
        self, document: str, keys: tuple[str, ...], value: Mapping[str, Any]
    ) -> Definition:
        """Return what the node at `keys` runs. Raises `JobError` for a file that is missing."""
        key = "trial" if "trial" in value else "component"
        where = f"{document}: {'.'.join((*keys, key))}"
        named = value.get(key)
        if isinstance(named, Mapping):
            return Definition(document, (*keys, key), named, is_component=True)
        if not isinstance(named, str):
            return Definition(document, keys, value)
        if named.startswith("azureml:"):
            found = self.find(named) if self.find is not None else None
            if found and "jobs" in found:
                what = f"{named} is a pipeline, and registered ones run only in Azure ML"
                raise JobError(where, what, "Name the file of the component.")
            return Definition(named, (), found or {}, is_component=True, registered=named)
        path = local_path(document, (*keys, key), named.removeprefix(FILE_PREFIX))
        if path not in self.documents:
            remedy = f"Write a path relative to the folder of {document}."
            raise JobError(where, f"there is no file {path}", remedy)
        return Definition(path, (), self.documents[path], is_component=True)

    def places(self, pipeline: Definition) -> list[Place]:
        """Return the steps of a pipeline, in the order of the file."""
        return [
            self._place(pipeline.document, (*pipeline.keys, "jobs", str(name)), value)
            for name, value in mapping_of(pipeline.value.get("jobs")).items()
            if isinstance(value, Mapping)
        ]

    def _place(self, document: str, keys: tuple[str, ...], value: Mapping[str, Any]) -> Place:
        definition = self.definition(document, keys, value)
        kind = str(value.get("type") or definition.value.get("type") or "command").lower()
        code = Node(definition.keys, definition.value, "command" if kind == "sweep" else kind)
        code_unit = self._unit(definition.document, code_keys(code), has_code=True)
        return Place(
            document,
            keys,
            value,
            kind,
            definition,
            code_unit,
            self._unit(document, keys, has_code=False) or code_unit,
        )

    def _unit(self, document: str, keys: tuple[str, ...], has_code: bool) -> str | None:
        wanted = document, keys, has_code
        units = (unit for unit in self.units if (unit.document, unit.keys, unit.has_code) == wanted)
        return next((unit.name for unit in units), None)


@dataclass(frozen=True)
class Place:
    """Where a step stands, what it runs, and the units whose code and environment it has."""

    document: str
    keys: tuple[str, ...]
    value: Mapping[str, Any]
    kind: str
    definition: Definition
    code_unit: str | None
    environment_unit: str | None

    @property
    def name(self) -> str:
        return self.keys[-1]

    @property
    def knows_outputs(self) -> bool:
        """Whether the outputs are written down; those of prompt flows and of AutoML are not."""
        return (
            bool(self.definition.value)
            and self.kind in (*CODE_TYPES, "pipeline", "sweep")
            and not is_flow(self.definition.value)
        )

    def where(self, *keys: str) -> str:
        return f"{self.document}: {'.'.join((*self.keys, *keys))}"

    def outputs(self, outer: Mapping[str, OutputDeclaration]) -> dict[str, OutputDeclaration]:
        """Return the step's outputs, with the types that they have from those of its pipeline.

        Raises `JobError` for one that is an output which the pipeline does not have.
        """
        own = mapping_of(self.value.get("outputs"))
        declared = self.definition.value.get("outputs") if self.definition.is_component else None
        known = output_declarations(declared)
        found = {}
        for name in known or own:
            parent = parent_name(own.get(name), "outputs")
            if parent and parent not in outer:
                what = f"`${{{{parent.outputs.{parent}}}}}` names no output of the pipeline"
                remedy = suggestion(parent, list(outer), "The pipeline has no `outputs:`.")
                raise JobError(self.where("outputs", name), what, remedy)
            base = known.get(name) or OutputDeclaration()
            if parent:
                type_ = base.type if name in known else outer[parent].type
                base = OutputDeclaration(type_, outer[parent].mode or base.mode)
            found[name] = output_declaration(own.get(name), base, name in known)
        return found

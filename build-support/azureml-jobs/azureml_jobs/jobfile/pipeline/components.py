"""Find what a step runs: its component, or what the step itself says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import (
    CODE_TYPES,
    FILE_PREFIX,
    Documents,
    Node,
    is_flow,
    mapping_of,
)
from azureml_jobs.jobfile.paths import local_path
from azureml_jobs.jobfile.pipeline.bindings import parent_name
from azureml_jobs.jobfile.pipeline.declarations import (
    input_declarations,
    output_declaration,
    output_declarations,
)
from azureml_jobs.jobfile.pipeline.model import InputDeclaration, OutputDeclaration, Step
from azureml_jobs.jobfile.unit_code import code_keys

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

    @property
    def declared(self) -> dict[str, InputDeclaration]:
        """What a component declares. A prompt flow and what runs itself have inputs of any name."""
        is_open = not self.is_component or is_flow(self.value)
        return {} if is_open else input_declarations(self.value.get("inputs"))

    def knows_outputs(self, kind: str) -> bool:
        """Whether the outputs are written down; those of prompt flows and of AutoML are not."""
        has_some = kind in (*CODE_TYPES, "pipeline", "sweep")
        return has_some and bool(self.value) and not is_flow(self.value)

    def outputs(
        self, step: Step, outer: Mapping[str, OutputDeclaration]
    ) -> dict[str, OutputDeclaration]:
        """Return the step's outputs, with the types that they have from those of its pipeline.

        Raises `JobError` for one that is an output which the pipeline does not have.
        """
        own = mapping_of(step.node.get("outputs"))
        known = output_declarations(self.value.get("outputs") if self.is_component else None)
        found = {}
        for name in known or own:
            parent = parent_name(own.get(name), "outputs")
            if parent and parent not in outer:
                what = f"`${{{{parent.outputs.{parent}}}}}` names no output of the pipeline"
                remedy = suggestion(parent, list(outer), "The pipeline has no `outputs:`.")
                raise JobError(f"{step.where}.outputs.{name}", what, remedy)
            base = known.get(name) or OutputDeclaration()
            if parent:
                type_ = base.type if name in known else outer[parent].type
                base = OutputDeclaration(type_, outer[parent].mode or base.mode)
            found[name] = output_declaration(own.get(name), base, name in known)
        return found

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
    """The documents of a job, its units of code, and what finds registered components.

    units: their names, by `document`, `keys` and `has_code` of each.
    """

    documents: Documents
    units: Mapping[tuple[str, tuple[str, ...], bool], str]
    find: FindComponent

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
            found = self.find(named) or {}
            if "jobs" in found:
                what = f"{named} is a pipeline, and registered ones run only in Azure ML"
                raise JobError(where, what, "Name the file of the component.")
            return Definition(named, (), found, is_component=True, registered=named)
        path = local_path(document, (*keys, key), named.removeprefix(FILE_PREFIX))
        if path not in self.documents:
            remedy = f"Write a path relative to the folder of {document}."
            raise JobError(where, f"there is no file {path}", remedy)
        return Definition(path, (), self.documents[path], is_component=True)

    def steps(self, pipeline: Definition) -> list[tuple[Step, Definition]]:
        """Return the steps of a pipeline as they are written, each with what it runs."""
        return [
            self._step(pipeline.document, (*pipeline.keys, "jobs", str(name)), value)
            for name, value in mapping_of(pipeline.value.get("jobs")).items()
            if isinstance(value, Mapping)
        ]

    def _step(
        self, document: str, keys: tuple[str, ...], value: Mapping[str, Any]
    ) -> tuple[Step, Definition]:
        runs = self.definition(document, keys, value)
        kind = str(value.get("type") or runs.value.get("type") or "command").lower()
        code = Node(runs.keys, runs.value, "command" if kind == "sweep" else kind)
        code_unit = self.units.get((runs.document, code_keys(code), True))
        units = code_unit, self.units.get((document, keys, False), code_unit)
        return Step(keys[-1], kind, document, keys, value, *units, runs.registered), runs

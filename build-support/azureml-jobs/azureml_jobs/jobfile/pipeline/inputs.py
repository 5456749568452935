"""Read what a job or a step gives to the inputs of what it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.expressions import literal_text
from azureml_jobs.jobfile.pipeline.bindings import Scope, parent_name
from azureml_jobs.jobfile.pipeline.declarations import input_declarations, mapping_of, parsed
from azureml_jobs.jobfile.pipeline.model import (
    Binding,
    Data,
    InputDeclaration,
    Literal,
    OutputDeclaration,
    ParentInput,
    StepOutput,
)

_LITERAL_TYPES = ("", "string", "integer", "number", "boolean")


def given_inputs(
    node: Mapping[str, Any],
    document: str,
    keys: tuple[str, ...],
    declared: Mapping[str, InputDeclaration],
    scope: Scope | None = None,
) -> dict[str, Binding]:
    """Return the inputs that have a value, defaults included.

    The node is at `keys` of the document: a job, or a step whose values are read in the scope of
    its pipeline. Names that a component does not declare are left out, as azure-ai-ml does.

    Raises `JobError` for values that the declarations do not allow, and for missing ones.
    """
    own, searched = mapping_of(node.get("inputs")), mapping_of(node.get("search_space"))
    found: dict[str, Binding] = {}
    for name in declared or own:
        declaration = declared.get(name, InputDeclaration())
        place = (*keys, "inputs", str(name))
        where = f"{document}: {'.'.join(place)}"
        binding = _binding(own.get(name), document, place, declaration.type, scope)
        if binding is None and declaration.default is not None:
            default = parsed(declaration.default, declaration.type, f"{where}.default")
            binding = Literal(literal_text(default))
        if isinstance(binding, Literal):
            parsed(binding.text, declaration.type, where)
        if isinstance(binding, Data) and declaration.type in _LITERAL_TYPES[1:]:
            what = f"this is data, and the input is a {declaration.type}"
            raise JobError(where, what, "Write a value.")
        if binding is not None:
            found[str(name)] = binding
        elif name in declared and not (declaration.is_optional or name in searched):
            what = "the input needs a value, and has none"
            raise JobError(where, what, f"Write `{name}:` with a value.")
    return found


def inferred(
    node: Mapping[str, Any],
    given: Mapping[str, Binding],
    outer: Mapping[str, InputDeclaration],
    scope: Scope,
) -> dict[str, InputDeclaration]:
    """Return the inputs of a step without a component, as azure-ai-ml declares them for it.

    They have types and modes of what they are bound to (`ComponentTranslatableMixin._to_input`).
    """
    found = input_declarations(node.get("inputs"))
    for name, binding in given.items():
        if isinstance(binding, ParentInput):
            parent = outer[binding.name]
            found[name] = InputDeclaration(type=parent.type, mode=parent.mode)
        elif isinstance(binding, StepOutput):
            known = (scope.outputs[binding.step] or {}).get(binding.name, OutputDeclaration())
            found[name] = InputDeclaration(type=known.type)
    return found


def check_optional(
    node: Mapping[str, Any],
    where: str,
    declared: Mapping[str, InputDeclaration],
    outer: Mapping[str, InputDeclaration],
) -> None:
    """Raise `JobError` for an optional input of the pipeline that the component needs.

    azure-ai-ml refuses these, also when there is a value (`_validate_binding_inputs`).
    """
    needed = {name for name, each in declared.items() if not each.is_optional}
    for name, value in mapping_of(node.get("inputs")).items():
        parent = parent_name(value, "inputs")
        if name in needed and parent in outer and outer[parent].is_optional:
            raise JobError(
                f"{where}.inputs.{name}",
                f"the input `{parent}` of the pipeline is optional, and the step needs a value",
                f"Remove `optional: true` from `{parent}:`, or write it in the component, too.",
            )


def _binding(
    value: Any, document: str, keys: tuple[str, ...], type_: str, scope: Scope | None
) -> Binding | None:
    """Return what is given to an input of that type; a text for data is the path of the data."""
    where = f"{document}: {'.'.join(keys)}"
    if isinstance(value, Mapping) and "value" in value:
        value = value["value"]
    if value is None or value == {}:
        return None
    if isinstance(value, Mapping):
        if scope is not None and isinstance(value.get("path"), str):
            found = scope.binding(value["path"], f"{where}.path")
            if not isinstance(found, Literal):
                return found and replace(found, mode=str(value.get("mode") or ""))
            if found.text != value["path"] and "type" not in value and type_ in _LITERAL_TYPES:
                return found
            value = {**value, "path": found.text}
        return Data({"type": type_ or "uri_folder", **value}, document, keys)
    if isinstance(value, str) and scope is not None:
        found = scope.binding(value, where)
        if not isinstance(found, Literal):
            return found
        value = found.text
    text = literal_text(value)
    if type_ in _LITERAL_TYPES:
        return Literal(text)
    return Data({"type": type_, "path": text}, document, keys)

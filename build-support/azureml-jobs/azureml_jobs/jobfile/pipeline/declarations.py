"""Read what components and pipelines declare, and what jobs and steps give to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import mapping_of
from azureml_jobs.jobfile.expressions import literal_text
from azureml_jobs.jobfile.pipeline.bindings import Scope, parent_name
from azureml_jobs.jobfile.pipeline.model import (
    Binding,
    Data,
    InputDeclaration,
    Literal,
    OutputDeclaration,
    ParentInput,
    StepOutput,
)

_LITERALS = ("", "string", "integer", "number", "boolean")
_BOOLEANS = {"true": True, "false": False}


def input_declarations(written: Any) -> dict[str, InputDeclaration]:
    """Return the inputs that a component declares, or that a job has without declaring them."""
    return {str(name): _input(value) for name, value in mapping_of(written).items()}


def output_declarations(written: Any) -> dict[str, OutputDeclaration]:
    return {str(name): output_declaration(value) for name, value in mapping_of(written).items()}


def output_declaration(
    value: Any, declared: OutputDeclaration | None = None, is_type_declared: bool = False
) -> OutputDeclaration:
    """Return what a mapping says of an output, and for the rest what is `declared` of it."""
    declared = declared or OutputDeclaration()
    given = mapping_of(value)
    return OutputDeclaration(
        type=declared.type if is_type_declared else _text(given, "type") or declared.type,
        mode=_text(given, "mode") or declared.mode,
        asset=_text(given, "name") or declared.asset,
        version=_text(given, "version") or declared.version,
    )


def literal_doubt(text: str, declaration: InputDeclaration) -> tuple[str, str] | None:
    """Return what is wrong with a value of the right type, and what to write, or None.

    Neither azure-ai-ml nor the service refuses these: public examples have such values.
    """
    names = [literal_text(each) for each in declaration.enum]
    if names and text not in names:
        what = f"`{text}` is none of the values that the component declares"
        return what, suggestion(text, names)
    low, high = declaration.minimum, declaration.maximum
    if declaration.type in ("integer", "number"):
        if low is not None and float(text) < float(low):
            return f"`{text}` is less than the component declares", f"Write {low}."
        if high is not None and float(text) > float(high):
            return f"`{text}` is more than the component declares", f"Write {high}."
    return None


def _parsed(value: Any, type_: str, where: str) -> Any:
    """Return a value as azure-ai-ml parses it by the declared type (`Input._update_default`).

    Raises `JobError` for one that is not of the type, which the service refuses.
    """
    if type_ not in _PARSERS:
        return value
    try:
        return _PARSERS[type_](value)
    except (KeyError, ValueError, OverflowError):
        raise JobError(where, f"{value!r} is no {type_}", f"Write {_EXAMPLES[type_]}.") from None


def _integer(value: Any) -> int:
    number = float(value)
    if number != int(number):
        raise ValueError
    return int(number)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "boolean": lambda value: _BOOLEANS[str(value).lower()],
    "integer": _integer,
    "number": float,
}
# The inputs of a job have the types of their values.
_LITERAL_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_EXAMPLES = {"boolean": "`true` or `false`", "integer": "a whole number", "number": "a number"}


def _input(value: Any) -> InputDeclaration:
    literal = value.get("value") if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping) or literal is not None:
        return InputDeclaration(type=_LITERAL_TYPES.get(type(literal), ""))
    return InputDeclaration(
        type=_text(value, "type").lower() or ("uri_folder" if "path" in value else ""),
        is_optional=str(value.get("optional")).lower() == "true",
        default=value.get("default"),
        enum=tuple(value.get("enum") or ()),
        minimum=value.get("min"),
        maximum=value.get("max"),
        mode=_text(value, "mode"),
    )


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return "" if found is None else str(found)


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
            default = _parsed(declaration.default, declaration.type, f"{where}.default")
            binding = Literal(literal_text(default))
        if isinstance(binding, Literal):
            _parsed(binding.text, declaration.type, where)
        if isinstance(binding, Data) and declaration.type in _LITERALS[1:]:
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
            if found.text != value["path"] and "type" not in value and type_ in _LITERALS:
                return found
            value = {**value, "path": found.text}
        return Data({"type": type_ or "uri_folder", **value}, document, keys)
    if isinstance(value, str) and scope is not None:
        found = scope.binding(value, where)
        if not isinstance(found, Literal):
            return found
        value = found.text
    text = literal_text(value)
    if type_ in _LITERALS:
        return Literal(text)
    return Data({"type": type_, "path": text}, document, keys)

"""Read what components and pipelines declare, and check values against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.expressions import literal_text
from azureml_jobs.jobfile.pipeline.model import InputDeclaration, OutputDeclaration

_BOOLEANS = {"true": True, "false": False}


def input_declarations(written: Any) -> dict[str, InputDeclaration]:
    """Return the inputs that a component declares, or that a job has without declaring them."""
    return {str(name): _input(value) for name, value in mapping_of(written).items()}


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a mapping, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


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


def parsed(value: Any, type_: str, where: str) -> Any:
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

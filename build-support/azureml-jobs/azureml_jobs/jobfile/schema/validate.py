"""Check plain data against the JSON schemas that generate.py writes."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.schema.rules import RULES

PATH = Path(__file__).with_name("azure-ai-ml.schema.json")
_FILE = "may be a file"


@dataclass(frozen=True)
class Problem:
    """Something that the schema refuses.

    steps: where it is. keyword: the keyword that refuses it. schema: what is valid there.
    finding: what a rule says of it.
    """

    steps: tuple[Any, ...]
    keyword: str
    value: Any
    schema: Mapping[str, Any]
    finding: Finding | None = None


def _snake(text: str) -> str:
    text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def _camel(text: str) -> str:
    return re.sub("_([a-zA-Z0-9])", lambda match: match.group(1).upper(), text)


# How azure-ai-ml changes a text before it compares it with the values that it allows.
CASES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "snake": _snake,
    "camel": _camel,
    "": str,
}

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: _is_number(value) and math.isfinite(value),
    "special": lambda value: _is_number(value) and not math.isfinite(value),
    "null": lambda value: value is None,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def types_of(node: Mapping[str, Any]) -> Sequence[str]:
    types: Any = node.get("type", ())
    return [types] if isinstance(types, str) else types


@functools.lru_cache(maxsize=None)
def definitions() -> dict[str, Any]:
    """Return all parts of the schemas by their names; each kind is one of them."""
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))["$defs"]
    return found


def resolved(node: Any) -> Mapping[str, Any]:
    while "$ref" in node:
        node = definitions()[node["$ref"].rpartition("/")[2]]
    return node


def problems_of(value: Any, node: Any, steps: tuple[Any, ...] = ()) -> list[Problem]:
    """Return what `node` refuses in `value`, which is at `steps`."""
    node = resolved(node)
    if "divide" in node:
        return _divided(value, node, steps)
    if "anyOf" in node:
        return _any_of(value, node["anyOf"], steps)
    if value is None and "null" not in types_of(node):
        return [Problem(steps, "null", value, node)]
    if found := _of_value(value, node):
        return [Problem(steps, found, value, node)]
    if isinstance(value, list) and "items" in node:
        items = (problems_of(each, node["items"], (*steps, i)) for i, each in enumerate(value))
        return [problem for found in items for problem in found]
    if isinstance(value, Mapping) and "object" in types_of(node) and node.get("kind") != "any":
        return [*_of_mapping(value, node, steps), *_of_rules(value, node, steps)]
    return []


def _of_mapping(
    value: Mapping[Any, Any], node: Mapping[str, Any], steps: tuple[Any, ...]
) -> Iterator[Problem]:
    properties, others = node.get("properties", {}), node.get("additionalProperties", True)
    for key, child in value.items():
        below = (*steps, key)
        if not isinstance(key, str):
            yield Problem(below, "key", key, node)
            continue
        known = properties.get(key, others)
        if known is False or (known is not True and "readOnly" in known and child is None):
            if others is False or key in properties:
                yield Problem(below, "unknown", key, node)
        elif known is not True and "readOnly" not in known:
            yield from problems_of(child, known, below)
        if "propertyNames" in node:
            for problem in problems_of(key, node["propertyNames"], below):
                yield Problem(below, "name", key, problem.schema)
    for key in node.get("required", ()):
        if key not in value:
            yield Problem((*steps, key), "required", value, node)


def _divided(value: Any, node: Mapping[str, Any], steps: tuple[Any, ...]) -> list[Problem]:
    key, cases = node["divide"]["key"], node["divide"]["cases"]
    case = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(case, str) and case in cases:
        return problems_of(value, cases[case], steps)
    if isinstance(value, Mapping) and key in value:
        choices = {"kind": "choice", "choices": list(cases), "case": ""}
        return [Problem((*steps, key), "choices", case, choices)]
    if "else" in node["divide"]:
        return problems_of(value, node["divide"]["else"], steps)
    return [Problem((*steps, key), "required", value, node)]


def _any_of(value: Any, members: Sequence[Any], steps: tuple[Any, ...]) -> list[Problem]:
    """Return the problems of the member that the value is most probably meant for."""
    attempts = []
    for member in members:
        attempts.append(problems_of(value, member, steps))
        if not attempts[-1]:
            return []
    deeper = [found for found in attempts if found[0].steps != steps or found[0].keyword == "rule"]
    if not deeper:
        keyword = "null" if value is None else "anyOf"
        return [Problem(steps, keyword, value, {"anyOf": list(map(resolved, members))})]
    for key in ("type", "task"):
        place = (*steps, key)
        right = [found for found in deeper if all(each.steps != place for each in found)]
        if not right:
            return [_all_choices(deeper, place)]
        deeper = right
    return min(deeper, key=_weight)


def _weight(problems: Sequence[Problem]) -> tuple[int, int]:
    """Return a small value for the attempt that the user most probably means."""
    # Who misspells a key has written it; who means another member has not.
    return len(problems), sum(problem.keyword == "required" for problem in problems)


def _all_choices(attempts: Sequence[Sequence[Problem]], place: tuple[Any, ...]) -> Problem:
    """Return one problem with all values that any of the attempts would take at `place`."""
    problems = [problem for found in attempts for problem in found if problem.steps == place]
    choices = [value for problem in problems for value in problem.schema.get("choices", ())]
    if not choices or problems[0].keyword == "required":
        return problems[0]
    node = {"kind": "choice", "choices": list(dict.fromkeys(choices)), "case": "lower"}
    return Problem(place, problems[0].keyword, problems[0].value, node)


def _of_value(value: Any, node: Mapping[str, Any]) -> str:
    """Return the keyword that refuses the value itself, or nothing."""
    types = types_of(node)
    if _FILE in node.get("rules", ()) and isinstance(value, str) and value.startswith("file:"):
        return ""
    if types and not any(_TYPES[name](value) for name in types):
        return "type"
    if "enum" in node and (isinstance(value, (list, dict)) or value not in node["enum"]):
        return "enum"
    if "choices" in node:
        if not isinstance(value, str) or CASES[node["case"]](value) not in node["choices"]:
            return "choices"
    if "pattern" in node and isinstance(value, str):
        if not re.fullmatch(node["pattern"], value, re.DOTALL):
            return "pattern"
    return ""


def _of_rules(
    value: Mapping[Any, Any], node: Mapping[str, Any], steps: tuple[Any, ...]
) -> Iterator[Problem]:
    for name in node.get("rules", ()):
        if name != _FILE:
            found = RULES[name](value)
            if found is not None:
                place = (*steps, found.key_path) if found.key_path else steps
                yield Problem(place, "rule", value, node, found)

"""Check plain data against the JSON schemas that generate.py writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azureml_jobs.jobfile.schema.rules import RULES

_FILE = "may be a file"


@dataclass(frozen=True)
class Problem:
    """Something that the schema refuses.

    steps: where it is. keyword: the keyword that refuses it. schema: what is valid there.
    """

    steps: tuple[Any, ...]
    keyword: str
    value: Any
    schema: Mapping[str, Any]
    detail: str = ""


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


@dataclass(frozen=True)
class Validator:
    definitions: Mapping[str, Any]

    def problems(self, value: Any, node: Any, steps: tuple[Any, ...] = ()) -> list[Problem]:
        """Return what `node` refuses in `value`, which is at `steps`."""
        node = self.resolve(node)
        if "divide" in node:
            return self._divided(value, node, steps)
        if "anyOf" in node:
            return self._any_of(value, node["anyOf"], steps)
        if value is None and "null" not in types_of(node):
            return [Problem(steps, "null", value, node)]
        found = _of_value(value, node)
        if found:
            return [Problem(steps, found, value, node)]
        if isinstance(value, list) and "items" in node:
            items = enumerate(value)
            return [
                problem
                for index, item in items
                for problem in self.problems(item, node["items"], (*steps, index))
            ]
        if isinstance(value, Mapping) and "object" in types_of(node) and node.get("kind") != "any":
            return [*self._of_mapping(value, node, steps), *_of_rules(value, node, steps)]
        return []

    def resolve(self, node: Any) -> Mapping[str, Any]:
        while "$ref" in node:
            node = self.definitions[node["$ref"].rpartition("/")[2]]
        return node

    def _of_mapping(
        self, value: Mapping[Any, Any], node: Mapping[str, Any], steps: tuple[Any, ...]
    ) -> Iterator[Problem]:
        properties = node.get("properties", {})
        others = node.get("additionalProperties", True)
        for key, child in value.items():
            below = (*steps, key)
            known = properties.get(key, others if isinstance(key, str) else True)
            if not isinstance(key, str):
                yield Problem(below, "key", key, node)
            elif known is False or (known is not True and "readOnly" in known and child is None):
                if others is False or key in properties:
                    yield Problem(below, "unknown", key, node)
            elif known is not True and "readOnly" not in known:
                yield from self.problems(child, known, below)
            if isinstance(key, str) and "propertyNames" in node:
                for problem in self.problems(key, node["propertyNames"], below):
                    yield Problem(below, "name", key, problem.schema)
        for key in node.get("required", ()):
            if key not in value:
                yield Problem((*steps, key), "required", value, node, key)

    def _divided(
        self, value: Any, node: Mapping[str, Any], steps: tuple[Any, ...]
    ) -> list[Problem]:
        key, cases = node["divide"]["key"], node["divide"]["cases"]
        case = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(case, str) and case in cases:
            return self.problems(value, cases[case], steps)
        if isinstance(value, Mapping) and key in value:
            choices = {"kind": "choice", "choices": list(cases), "case": ""}
            return [Problem((*steps, key), "choices", case, choices)]
        if "else" in node["divide"]:
            return self.problems(value, node["divide"]["else"], steps)
        return [Problem((*steps, key), "required", value, node, key)]

    def _any_of(self, value: Any, members: Sequence[Any], steps: tuple[Any, ...]) -> list[Problem]:
        """Return the problems of the member that the value is most probably meant for."""
        attempts = []
        for member in members:
            found = self.problems(value, member, steps)
            if not found:
                return []
            attempts.append((self.resolve(member), found))
        deeper = [
            (node, found)
            for node, found in attempts
            if found[0].steps != steps or found[0].keyword == "rule"
        ]
        if not deeper:
            nodes = [node for node, _ in attempts]
            keyword = "null" if value is None else "anyOf"
            return [Problem(steps, keyword, value, {"anyOf": nodes})]
        for key in ("type", "task"):
            place = (*steps, key)
            right = [
                (node, found)
                for node, found in deeper
                if not any(problem.steps == place for problem in found)
            ]
            if not right:
                return [_all_choices([found for _, found in deeper], place)]
            deeper = right
        return min((found for _, found in deeper), key=_weight)


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
                yield Problem(place, "rule", value, node, name)

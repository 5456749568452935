"""Turn problems that the schema has with a file into findings that say what to write."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from azureml_jobs.base.nearest import nearest, suggestion
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.schema.node import SchemaNode, settable_keys
from azureml_jobs.jobfile.schema.validate import Problem, resolved, types_of

# How kinds and types of values are named.
_NAMES = {
    "array": "a list",
    "batch size": 'a number of files or a size, such as `"10"` or `10kb`',
    "binding": "a reference such as `${{parent.inputs.NAME}}`",
    "boolean": "`true` or `false`",
    "component name": "a name of lowercase letters, digits and underscores",
    "file": "the path of a file",
    "integer": "an integer",
    "number": "a number",
    "object": "keys and values",
    "path": "the path of a file or folder",
    "reference": "a reference such as `azureml:NAME:VERSION`",
    "step name": "a name of lowercase letters, digits and underscores",
    "string": "text",
    "text": "text",
    "time": 'a time in quotes, such as `"2026-01-31T10:00:00"`',
    "url": "a URL",
    "version": "a version",
}
_EXAMPLES = {
    "command": "Add for example `command: python main.py`.",
    "environment": "Add for example `environment: azureml:NAME:VERSION`, or `environment:` "
    "with `build:` or `image:` below it.",
}


def finding_of(problem: Problem, kind: str) -> Finding:
    """Return what a problem means to the user."""
    steps = [str(step) for step in problem.steps]
    key_path = ".".join(steps)
    if problem.finding is not None:
        return replace(problem.finding, key_path=key_path)
    match problem.keyword:
        case "unknown":
            valid = list(settable_keys(problem.schema))
            return unknown_key(SchemaNode.root(kind), steps[:-1], steps[-1], valid)
        case "required":
            return Finding(key_path, "this key is missing", _how_to_write(steps, problem))
        case "key":
            what = f"YAML reads this key as {_value_text(problem.value)}, not as text"
            return Finding(key_path, what, "Quote the key.")
        case "null":
            return Finding(key_path, "this key has no value", "Write one, or remove the key.")
        case "name":
            return _bad_name(key_path, problem)
    return _bad_value(key_path, steps, problem)


def unknown_key(
    root: SchemaNode, parents: Sequence[str], key: str, valid: Sequence[str]
) -> Finding:
    """Return the finding for `key` below `parents`, where only the `valid` keys can be."""
    key_path = ".".join((*parents, key))
    remedy = suggestion(key, valid, if_none="There can be no key here.")
    if nearest(key, valid) is None:
        elsewhere = [path for path in root.paths_to(key) if path != key_path]
        if parents[:1] == ["inputs"] and key in ("default", "optional"):
            remedy = _give_the_value(parents[-1])
        elif elsewhere:
            remedy = f"Azure ML has this key as `{elsewhere[0]}`."
    return Finding(key_path, f"unknown key `{key}`", remedy)


def _bad_value(key_path: str, steps: Sequence[str], problem: Problem) -> Finding:
    value, node = problem.value, problem.schema
    members = [resolved(member) for member in node.get("anyOf", (node,))]
    if "inputs" in steps[:-1] and value in ("string", "integer", "number", "boolean"):
        name = steps[steps.index("inputs") + 1]
        return Finding(key_path, f"`{value}` is not a type of data", _give_the_value(name))
    if steps[-2:-1] == ["inputs"] and isinstance(value, list):
        return Finding(key_path, "an input cannot be a list", "Write it as text, such as `1,2,3`.")
    kinds = [member.get("kind", "") for member in members]
    choices = [choice for member in members for choice in member.get("choices", ())]
    if isinstance(value, str) and choices and "text" not in kinds:
        remedy = suggestion(value, choices)
        if "reference" in kinds:
            remedy += " Or write `azureml:NAME`."
        return Finding(key_path, f"{_value_text(value)} is not valid here", remedy)
    if isinstance(value, str) and steps[-1:] == ["environment"]:
        return Finding(
            key_path,
            f"{_value_text(value)} is not a reference to an environment",
            "Write `azureml:NAME:VERSION` or `azureml:NAME@latest`, or define the environment "
            "with `build:` or `image:` below this key.",
        )
    remedy = ""
    if "component name" in kinds and isinstance(value, str):
        remedy = f"Write for example `{_valid_name(value).lower()}`."
    names = {name for member in members for name in types_of(member)} | set(kinds)
    if isinstance(value, str) and names & {"integer", "number"}:
        remedy = "Write a number without a unit, such as `60`."
    if "string" in names:
        if not isinstance(value, (Mapping, list, str)) and value == value:
            text = str(value).lower() if isinstance(value, bool) else _as_text(value, kinds)
            remedy = f'Write it in quotes: `"{text}"`.'
    # A reference is what fewest people mean.
    members.sort(key=lambda member: member.get("kind") == "binding")
    expected = _list(_expected(member) for member in members)
    return Finding(key_path, f"expects {expected} and has {_value_text(value)}", remedy)


def _as_text(value: Any, kinds: Sequence[str]) -> str:
    if not isinstance(value, datetime.date):
        return str(value)
    text = value.isoformat()
    return f"{text}T00:00:00" if "time" in kinds and "T" not in text else text


def _expected(member: Mapping[str, Any]) -> list[str]:
    if member.get("choices"):
        return [f"`{choice}`" for choice in member["choices"]]
    kind = member.get("kind")
    names = [kind] if kind in _NAMES else types_of(member)
    return [_NAMES[name] for name in names if name in _NAMES]


def _list(parts: Any) -> str:
    names = list(dict.fromkeys(name for part in parts for name in part))
    if "a number" in names and "text" in names:
        # A literal input. Where it is data, the user has written keys and values already.
        return "text, a number, `true` or `false`"
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "a value"


def _bad_name(key_path: str, problem: Problem) -> Finding:
    name = str(problem.value)
    if problem.schema.get("choices"):
        return Finding(
            key_path, f"unknown key `{name}`", suggestion(name, problem.schema["choices"])
        )
    if problem.schema.get("kind") == "step name":
        what = "the name of a step has only lowercase letters, digits and underscores"
        valid = _valid_name(name).lower()
    else:
        what = "the name of an input or output has only letters, digits and underscores"
        valid = _valid_name(name)
    return Finding(key_path, f"{what}, and begins with no digit", f"Write for example `{valid}`.")


def _give_the_value(name: str) -> str:
    # In a component file an input is declared by type and default; in a job file it has a value.
    return f"A job gives the value itself: write `{name}: VALUE`."


def _how_to_write(steps: Sequence[str], problem: Problem) -> str:
    *parents, missing = steps
    written = problem.value if isinstance(problem.value, Mapping) else {}
    known = problem.schema.get("properties", {})
    misspelled = nearest(missing, [str(key) for key in written if key not in known])
    if misspelled:
        return f"Write `{missing}` in place of `{misspelled}`."
    if missing in _EXAMPLES:
        return _EXAMPLES[missing]
    return f"Add `{missing}:` below `{'.'.join(parents)}:`." if parents else f"Add `{missing}:`."


def _valid_name(text: str) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def _value_text(value: Any) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}` (a boolean)"
        case Mapping():
            return "keys and values"
        case list():
            return "a list"
        case str():
            return f"`{value}`"
        case int() | float():
            return f"`{value}` (a number)"
        case None:
            return "nothing"
        case _:
            return f"`{value}` (a {type(value).__name__})"

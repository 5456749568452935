"""Turn errors of jsonschema into findings that say what to write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azureml_jobs.base.nearest import nearest, suggestion
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.schema.node import SchemaNode, settable_keys

_KIND_NAMES = {
    "text": "text",
    "integer": "an integer",
    "boolean": "`true` or `false`",
    "literal": "text, a number, `true` or `false`",
    "variable": "text",
}
_TYPE_NAMES = {
    "array": "a list",
    "boolean": "`true` or `false`",
    "null": "nothing",
    "number": "a number",
    "object": "keys and values",
    "string": "text",
}


def findings_of_error(error: Any, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what an error of jsonschema means to the user."""
    steps = [str(step) for step in error.absolute_path]
    if error.validator == "additionalProperties":
        # jsonschema reports all unknown keys of one mapping in one error.
        for key in error.instance:
            if key not in error.schema["properties"]:
                yield unknown_key(schema, steps, key, list(settable_keys(error.schema)))
    elif error.validator == "required":
        # jsonschema has an error for each missing key, and names that key in the text alone.
        for missing in error.validator_value:
            if f"{missing!r} is a required" in error.message:
                yield Finding(
                    ".".join((*steps, missing)),
                    "this key is missing",
                    _how_to_write(missing, ".".join(steps)),
                )
    else:
        yield _finding(error, steps)


def unknown_key(
    schema: Mapping[str, Any], steps: Sequence[str], key: str, valid: Sequence[str]
) -> Finding:
    """Return the finding for `key` below `steps`, where only the `valid` keys can be."""
    key_path = ".".join((*steps, key))
    remedy = suggestion(key, valid, if_none="There can be no key here.")
    if nearest(key, valid) is None:
        elsewhere = [path for path in SchemaNode.root(schema).paths_to(key) if path != key_path]
        if elsewhere:
            remedy = f"Azure ML has this key as `{elsewhere[0]}`."
        elif steps[:1] == ["inputs"] and key in ("default", "optional"):
            remedy = _give_the_value(steps[-1])
    return Finding(key_path, f"unknown key `{key}`", remedy)


def key_that_is_no_text(key_path: str, key: Any) -> Finding:
    return Finding(
        key_path, f"YAML reads this key as {_value_text(key)}, not as text", "Quote the key."
    )


def _finding(error: Any, steps: list[str]) -> Finding:
    key_path = ".".join(steps)
    kind = error.schema.get("kind", "") if isinstance(error.schema, Mapping) else ""
    if kind == "name":
        name = str(error.instance)
        return Finding(
            ".".join((*steps, name)),
            "the name of an input or output has only letters, digits and underscores, and begins "
            "with no digit",
            f"Write for example `{_valid_name(name)}`.",
        )
    if error.instance is None:
        return Finding(key_path, "this key has no value", "Write one, or remove the key.")
    if error.validator is None:
        return Finding(
            key_path,
            "a service has either `ssh_public_keys` or `log_dir`, and this one has both",
            "Keep `ssh_public_keys` for type `ssh`, or `log_dir` for type `tensor_board`.",
        )
    found = _environment_finding(error, key_path, kind) or _input_finding(error, key_path, steps)
    if found is not None:
        return found
    if kind == "choice":
        valid = error.schema.get("choices") or error.schema.get("enum")
        return Finding(
            key_path,
            f"{_value_text(error.instance)} is not valid here",
            suggestion(str(error.instance), valid),
        )
    return _wrong_type(error, key_path, kind)


def _environment_finding(error: Any, key_path: str, kind: str) -> Finding | None:
    if error.validator == "anyOf":
        return Finding(
            key_path,
            "this environment has neither an image nor a Dockerfile",
            "Add `build:` with the `path:` of the Dockerfile's folder, or `image: NAME`.",
        )
    if error.validator == "not" and isinstance(error.instance, Mapping):
        return Finding(
            key_path,
            "this environment has both an image and a Dockerfile",
            "Remove `image:` or `build:`; a Dockerfile names its image by `FROM`.",
        )
    if kind == "environment":
        return Finding(
            key_path,
            f"{_value_text(error.instance)} is not a reference to an environment",
            "Write `azureml:NAME:VERSION` or `azureml:NAME@latest`, or define the environment "
            "with `build:` or `image:` below this key.",
        )
    return None


def _input_finding(error: Any, key_path: str, steps: list[str]) -> Finding | None:
    if steps[:1] != ["inputs"]:
        return None
    if error.instance in ("string", "integer", "number", "boolean"):
        return Finding(
            key_path, f"`{error.instance}` is not a type of data", _give_the_value(steps[1])
        )
    if len(steps) == 2 and isinstance(error.instance, list):
        return Finding(key_path, "an input cannot be a list", "Write it as text, such as `1,2,3`.")
    return None


def _wrong_type(error: Any, key_path: str, kind: str) -> Finding:
    types = error.schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    expected = _KIND_NAMES.get(kind) or " or ".join(_TYPE_NAMES.get(name, name) for name in types)
    remedy = ""
    if kind == "text" and not isinstance(error.instance, (Mapping, list)):
        text = str(error.instance).lower() if isinstance(error.instance, bool) else error.instance
        remedy = f'Write it in quotes: `"{text}"`.'
    return Finding(key_path, f"expects {expected} and has {_value_text(error.instance)}", remedy)


def _give_the_value(name: str) -> str:
    # In a component file an input is declared by type and default; in a job file it has a value.
    return f"A job gives the value itself: write `{name}: VALUE`."


def _how_to_write(missing: str, parent: str) -> str:
    examples = {
        "command": "Add for example `command: python main.py`.",
        "environment": "Add for example `environment: azureml:NAME:VERSION`, or `environment:` "
        "with `build:` or `image:` below it.",
    }
    return examples.get(missing, f"Add `{missing}:` below `{parent}:`.")


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

"""Checking a job against the schema of its type, and looking things up in that schema."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import instead_of, nearest
from azureml_jobs.jobfile.findings import Finding, raise_findings

_SCHEMAS = {"command": "command-job.schema.json"}
# Job types of Azure ML whose files azure-ai-ml reads and this package does not.
_OTHER_TYPES = (
    *("automl", "data_transfer", "distillation", "finetuning", "import", "parallel", "pipeline"),
    *("spark", "sweep"),
)
_DEFAULT_TYPE = "command"

_EXPECTED = {
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


def check_schema(job: Mapping[str, Any], path: str) -> None:
    """Raise a `JobError` that lists all `schema_findings`."""
    raise_findings(path, schema_findings(job, path))


def schema_findings(job: Mapping[str, Any], path: str) -> list[Finding]:
    """Return every finding which azure-ai-ml would refuse as well.

    Raises `JobError` for a type of job that has no schema here.

    One thing is refused that azure-ai-ml takes: a key of `environment_variables` that is no text,
    because YAML reads a variable named `ON` or `NO` as a boolean, which would be sent as `True`.
    """
    schema = schema_of(job, path)
    findings = list(_keys_that_are_no_text(job, ""))
    if not findings:
        # jsonschema takes 0.1 s to import, and this module is also used for lookups alone.
        import jsonschema

        validator = _validator_class(jsonschema)(schema)
        errors = sorted(validator.iter_errors(job), key=_position_in(job))
        found = (finding for error in errors for finding in _findings(error, schema))
        findings = list(dict.fromkeys(found))
    return findings


def schema_of(job: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the JSON schema for the job's `type`, or raise `JobError` when there is none."""
    job_type = job.get("type", _DEFAULT_TYPE)
    if isinstance(job_type, str) and job_type in _SCHEMAS:
        return _load(_SCHEMAS[job_type])
    if job_type in _OTHER_TYPES:
        raise JobError(
            f"{path}: type",
            f"this is a job of type `{job_type}`, and only command jobs can be read so far",
            "Write `type: command`, with a `command:` and an `environment:`, or submit this file "
            "with `az ml job create`.",
        )
    raise JobError(
        f"{path}: type",
        f"{_shown(job_type)} is no type of job",
        "Write `type: command`, or leave the line out.",
    )


@functools.lru_cache(maxsize=None)
def _load(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return schema


# Lookups, for `--set` and for messages.


@dataclass(frozen=True)
class Place:
    """A place in a job file: all parts of the schema that can apply to the value there."""

    schema: Mapping[str, Any]
    parts: tuple[Any, ...]

    @classmethod
    def root(cls, schema: Mapping[str, Any]) -> Place:
        return cls(schema, (schema,))

    def child(self, key: str) -> Place | None:
        """Return the place of `key` in this mapping, or None when no such key is valid."""
        found: list[Any] = []
        for part in self._flat():
            if key in part.get("properties", {}):
                found.append(part["properties"][key])
            elif isinstance(part.get("additionalProperties"), Mapping):
                found.append(part["additionalProperties"])
            elif part.get("type") == "object" and not (
                "properties" in part or "additionalProperties" in part
            ):
                found.append({"kind": "any"})
        found = [part for part in found if isinstance(part, Mapping)]
        return Place(self.schema, tuple(found)) if found else None

    def item(self) -> Place | None:
        """Return the place of an item of this list, or None when it cannot be a list."""
        found = tuple(part["items"] for part in self._flat() if "items" in part)
        return Place(self.schema, found) if found else None

    def keys(self) -> list[str]:
        """Return the keys that the schema names here, without those that Azure ML sets."""
        keys: dict[str, None] = {}
        for part in self._flat():
            keys.update(dict.fromkeys(_offered(part)))
        return list(keys)

    @property
    def is_read_only(self) -> bool:
        return any(part.get("readOnly") for part in self._flat())

    @property
    def kinds(self) -> set[str]:
        return {part["kind"] for part in self._flat() if "kind" in part}

    @property
    def choices(self) -> list[str]:
        found: dict[str, None] = {}
        for part in self._flat():
            found.update(dict.fromkeys(part.get("choices", ())))
            if part.get("kind") == "choice":
                found.update(dict.fromkeys(part.get("enum", ())))
        return list(found)

    @property
    def takes_mapping(self) -> bool:
        return any(
            "properties" in part or "additionalProperties" in part or _allows(part, "object")
            for part in self._flat()
        )

    @property
    def takes_list(self) -> bool:
        return any("items" in part or _allows(part, "array") for part in self._flat())

    def _flat(self) -> Iterator[Mapping[str, Any]]:
        waiting = list(reversed(self.parts))
        while waiting:
            part = waiting.pop()
            if not isinstance(part, Mapping):
                continue
            if "$ref" in part:
                waiting.append(self.schema["$defs"][part["$ref"].rpartition("/")[2]])
                continue
            yield part
            deeper = [*part.get("allOf", ()), part.get("then"), part.get("else")]
            waiting += reversed(deeper)


def _allows(part: Mapping[str, Any], type_name: str) -> bool:
    types = part.get("type", ())
    return type_name in ([types] if isinstance(types, str) else types)


# The keywords and types that JSON schema has otherwise.


def _validator_class(jsonschema: Any) -> Any:
    base = jsonschema.Draft202012Validator

    def choices(validator: Any, values: list[str], instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, str) and _snake(instance, schema) not in values:
            yield jsonschema.ValidationError(f"{instance!r} is none of {values!r}")

    def is_number(checker: Any, instance: Any) -> bool:
        if isinstance(instance, bool) or not isinstance(instance, (int, float)):
            return False
        return math.isfinite(instance)

    return jsonschema.validators.extend(
        base, {"choices": choices}, type_checker=base.TYPE_CHECKER.redefine("number", is_number)
    )


def _snake(text: str, schema: Mapping[str, Any]) -> str:
    """Return `text` as azure-ai-ml compares it with the values that it allows."""
    if schema.get("camel"):
        text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
        text = re.sub("([a-z0-9])([A-Z])", r"\1_\2", text)
    return text.lower()


# From the errors of jsonschema to messages.


def _keys_that_are_no_text(value: Any, where: str) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            key_path = f"{where}.{key}" if where else str(key)
            # Only in a conda file of its own, whose content is not Azure ML's, such keys are right.
            if key_path == "environment.conda_file":
                continue
            if not isinstance(key, str):
                yield Finding(
                    key_path,
                    f"YAML reads this key as {_shown(key)} and not as text",
                    "Write the key in quotes.",
                )
            yield from _keys_that_are_no_text(child, key_path)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _keys_that_are_no_text(child, f"{where}.{index}")


def _position_in(job: Mapping[str, Any]) -> Any:
    """Return a sort key: errors in the order in which their keys stand in the file."""

    def position(error: Any) -> tuple[int, ...]:
        found = []
        value: Any = job
        for step in error.absolute_path:
            found.append(list(value).index(step) if isinstance(value, Mapping) else step)
            value = value[step]
        return tuple(found)

    return position


def _findings(error: Any, schema: Mapping[str, Any]) -> Iterator[Finding]:
    steps = [str(step) for step in error.absolute_path]
    if error.validator == "additionalProperties":
        # jsonschema reports all unknown keys of one mapping in one error.
        for key in error.instance:
            if key not in error.schema["properties"]:
                yield unknown_key(schema, steps, key, list(_offered(error.schema)))
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


def _finding(error: Any, steps: list[str]) -> Finding:
    key_path = ".".join(steps)
    kind = error.schema.get("kind", "") if isinstance(error.schema, Mapping) else ""
    if kind == "name":
        return Finding(
            ".".join((*steps, str(error.instance))),
            "the name of an input or output holds letters, digits and underscores only, and begins "
            "with no digit",
            f"Write for example `{_as_name(str(error.instance))}`.",
        )
    if error.instance is None:
        return Finding(key_path, "this key has no value", "Write one, or remove the key.")
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
    if error.validator is None:
        return Finding(
            key_path,
            "`ssh_public_keys` and `log_dir` cannot stand in one service",
            "Keep `ssh_public_keys` for type `ssh`, or `log_dir` for type `tensor_board`.",
        )
    if steps[:1] == ["inputs"] and error.instance in ("string", "integer", "number", "boolean"):
        return Finding(
            key_path, f"`{error.instance}` is no type of data", _give_the_value(steps[1])
        )
    if kind == "choice":
        valid = error.schema.get("choices") or error.schema.get("enum")
        return Finding(
            key_path,
            f"{_shown(error.instance)} is not valid here",
            instead_of(str(error.instance), valid, none=""),
        )
    if kind == "environment":
        return Finding(
            key_path,
            f"{_shown(error.instance)} is no reference to an environment",
            "Write `azureml:NAME:VERSION` or `azureml:NAME@latest`, or an environment of your own "
            "with `build:` or `image:` below this key.",
        )
    if steps[:1] == ["inputs"] and len(steps) == 2 and isinstance(error.instance, list):
        return Finding(key_path, "an input cannot be a list", "Write it as text, such as `1,2,3`.")
    return _wrong_type(error, key_path, kind)


def _wrong_type(error: Any, key_path: str, kind: str) -> Finding:
    types = error.schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    expected = _EXPECTED.get(kind) or " or ".join(_TYPE_NAMES.get(name, name) for name in types)
    remedy = ""
    if kind == "text" and not isinstance(error.instance, (Mapping, list)):
        shown = str(error.instance).lower() if isinstance(error.instance, bool) else error.instance
        remedy = f'Write it in quotes: `"{shown}"`.'
    return Finding(key_path, f"expects {expected} and has {_shown(error.instance)}", remedy)


def unknown_key(
    schema: Mapping[str, Any], steps: Sequence[str], key: str, valid: Sequence[str]
) -> Finding:
    """Return the finding of writing `key` below `steps`, where `valid` keys could stand."""
    here = ".".join((*steps, key))
    remedy = instead_of(key, valid, none="No key can stand here.")
    if nearest(key, valid) is None:
        elsewhere = [place for place in _places_of(key, schema) if place != here]
        if elsewhere:
            remedy = f"Azure ML has this key as `{elsewhere[0]}`."
        elif steps[:1] == ["inputs"] and key in ("default", "optional"):
            remedy = _give_the_value(steps[-1])
    return Finding(here, f"unknown key `{key}`", remedy)


def _give_the_value(name: str) -> str:
    # In a component file an input is declared by type and default; in a job file it has a value.
    return f"A job gives the value itself: write `{name}: VALUE`."


def _offered(part: Mapping[str, Any]) -> Iterator[str]:
    for key, value in part.get("properties", {}).items():
        if value is True or (value is not False and not value.get("readOnly")):
            yield key


def _places_of(key: str, schema: Mapping[str, Any]) -> list[str]:
    """Return where else in a job this very key is valid: `shm_size` as `resources.shm_size`."""
    root = Place.root(schema)
    parents = ((name, root.child(name)) for name in root.keys())
    return [f"{name}.{key}" for name, place in parents if place and key in place.keys()]


def _how_to_write(missing: str, parent: str) -> str:
    examples = {
        "command": "Add for example `command: python main.py`.",
        "environment": "Add for example `environment: azureml:NAME:VERSION`, or an environment of "
        "your own with `build:` or `image:` below it.",
        "type": f"Add `type:` below `{parent}:`.",
    }
    return examples.get(missing, f"Add `{missing}:` below `{parent}:`.")


def _as_name(text: str) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}` (a boolean)"
    if isinstance(value, Mapping):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"`{value}`"
    if isinstance(value, (int, float)):
        return f"`{value}` (a number)"
    if value is None:
        return "nothing"
    return f"`{value}` (a {type(value).__name__})"

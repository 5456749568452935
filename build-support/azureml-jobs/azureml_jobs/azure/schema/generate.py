"""Write the JSON schemas of job, component and schedule files from azure-ai-ml's own classes.

azure-ai-ml checks a file by marshmallow schemas (`azure.ai.ml._schema`), which this script walks
field by field. Run it where azure-ai-ml is installed, after each change of its version:

    python -m azureml_jobs.azure.schema.generate

`generate_test.py` fails as long as the result is not committed. What a marshmallow hook does
cannot be derived: `hooks.py` says it by hand, and the script refuses a hook that is not there.

Keywords of our own, known to jobfile/schema/validate.py: `kind` names a value for messages and for
--set, `choices` lists its values as they are after the change that `case` names, `readOnly` marks
what Azure ML sets and ignores in a file, `divide` selects by the value of one key, `rules` names
checks in rules.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from azure.ai.ml._schema.core import fields as sdk
from azure.ai.ml._schema.core.schema import PathAwareSchema
from azure.ai.ml._schema.schedule.create_job import ScheduleCreateJobField
from azureml_jobs.azure.schema.hooks import CLASSES, NEVER_BOUND, SCALARS, hook_keywords
from azureml_jobs.azure.schema.roots import divided, roots
from azureml_jobs.jobfile.schema.validate import CASES, PATH
from marshmallow import INCLUDE, Schema, fields
from marshmallow.validate import URL, OneOf

# Shorter ones are written where they are used.
_SHORTEST_SHARED = 150


def generate() -> str:
    """Return the text of the file with all schemas."""
    definitions = _Definitions()
    kinds: dict[str, Any] = {}
    for kind, key, schemas in divided():
        cases = {value: definitions.of_schema(each, None) for value, each in schemas.items()}
        kinds[kind] = {"type": "object", "required": [key], "divide": {"key": key, "cases": cases}}
    for kind, schema, unknown in roots():
        kinds[kind] = definitions.of_schema(schema, unknown)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Written by azureml_jobs.azure.schema.generate. Do not edit.",
    }
    parts = sorted({**definitions.found, **kinds}.items())
    lines = (f"{json.dumps(name)}: {_line(node)}" for name, node in parts)
    return json.dumps(head)[:-1] + ', "$defs": {\n' + ",\n".join(lines) + "\n}}\n"


def _line(node: Any) -> str:
    return json.dumps(node, sort_keys=True, separators=(",", ":"))


class _Definitions:
    def __init__(self) -> None:
        self.found: dict[str, Any] = dict(SCALARS)
        self._open: list[str] = []

    def of_schema(self, schema: Schema, unknown: str | None) -> dict[str, Any]:
        """Return a reference to the JSON schema of a marshmallow schema."""
        name = type(schema).__name__.removesuffix("Schema").strip("_")
        if name in self._open:
            return {"$ref": f"#/$defs/{name}"}
        self._open.append(name)
        node = self._object(schema, unknown or schema.unknown)
        self._open.pop()
        return self._share(name, node)

    def _object(self, schema: Schema, unknown: str) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        required = []
        for name, field in schema.fields.items():
            key = field.data_key or name
            if field.dump_only:
                if isinstance(schema, PathAwareSchema):
                    # Others refuse what is not loaded.
                    properties[key] = {"readOnly": True}
                continue
            field = schema.load_fields[name]
            properties[key] = self.of_field(field)
            if any(name in NEVER_BOUND.get(cls.__name__, ()) for cls in type(schema).__mro__):
                properties[key] = _unbound(properties[key])
            if key in ("inputs", "outputs") and "propertyNames" in properties[key]:
                dotted = "Dotted" if "Pipeline" in type(schema).__name__ else ""
                properties[key]["propertyNames"] = {"$ref": f"#/$defs/{dotted}PortName"}
            if field.required:
                required.append(key)
        properties = {key: self._share(key, value) for key, value in properties.items()}
        node: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            node["required"] = sorted(required)
        if unknown != INCLUDE:
            node["additionalProperties"] = False
        for hook, owner in _hooks(schema):
            _merge(node, hook_keywords(hook, owner))
        for cls in type(schema).__mro__:
            _merge(node, CLASSES.get(cls.__name__, {}))
        return node

    def of_field(self, field: Any) -> dict[str, Any]:
        """Return the JSON schema of a marshmallow field."""
        node = self._value(field)
        if field.allow_none:
            node = {"anyOf": [*node["anyOf"]] if set(node) == {"anyOf"} else [node]}
            node["anyOf"].append({"type": "null"})
        return node

    def _value(self, field: Any) -> dict[str, Any]:
        match field:
            case sdk.ExperimentalField():
                return self.of_field(field.experimental_field)
            case ScheduleCreateJobField():
                members = field._type_sensitive_fields_dict.items()
                cases = {name: self.of_field(member) for name, (member,) in members}
                return {"divide": {"key": "type", "cases": cases, "else": self._union(field)}}
            case sdk.UnionField():
                return self._union(field)
            case fields.Nested():
                return self.of_schema(field.schema, field.unknown)
            case fields.Dict():
                return self._dict(field)
            case fields.List():
                return {"type": "array", "items": self.of_field(field.inner)}
            case sdk.StringTransformedEnum():
                return _choice(field)
        choices = _choices_of_validators(field)
        return choices or {"$ref": f"#/$defs/{scalar_name(field)}"}

    def _dict(self, field: fields.Dict) -> dict[str, Any]:
        node: dict[str, Any] = {"type": "object"}
        if field.key_field is not None:
            node["propertyNames"] = self.of_field(field.key_field)
        if field.value_field is not None:
            node["additionalProperties"] = self.of_field(field.value_field)
        return node

    def _union(self, field: Any) -> dict[str, Any]:
        members: list[Any] = []
        for member in field.union_fields:
            node = self.of_field(member)
            for part in node["anyOf"] if set(node) == {"anyOf"} else [node]:
                if part not in members:
                    members.append(part)
        return members[0] if len(members) == 1 else {"anyOf": members}

    def _share(self, name: str, node: Any) -> dict[str, Any]:
        if len(_line(node)) < _SHORTEST_SHARED:
            return node
        number = 1
        while True:
            candidate = name if number == 1 else f"{name}{number}"
            if self.found.setdefault(candidate, node) == node:
                return {"$ref": f"#/$defs/{candidate}"}
            number += 1


def _unbound(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node without its part for `${{…}}`."""
    binding = {"$ref": f"#/$defs/{sdk.DataBindingStr.__name__}"}
    members = [part for part in node.get("anyOf", [node]) if part != binding]
    return members[0] if len(members) == 1 else {"anyOf": members}


def scalar_name(field: Any) -> str:
    """Return the name in `SCALARS` of a field that has one value, or raise `LookupError`."""
    names = [cls.__name__ for cls in type(field).__mro__]
    strict = "Strict" if getattr(field, "strict", False) else ""
    versionless = "Any" if getattr(field, "allow_default_version", False) else ""
    for name in (f"{prefix}{name}" for name in names for prefix in (strict + versionless, "")):
        if name in SCALARS:
            return name
    raise LookupError(f"hooks.py does not know the field {names[0]}")


def _choices_of_validators(field: Any) -> dict[str, Any] | None:
    """Return the values that marshmallow's validators leave, or None if they leave all."""
    for validator in field.validators:
        if isinstance(validator, OneOf):
            return {"kind": "choice", "choices": list(validator.choices), "case": ""}
        if not isinstance(validator, URL):
            raise LookupError(f"generate.py does not know the validator {validator!r}")
    return None


def _choice(field: Any) -> dict[str, Any]:
    probe = "aBc_dEf"
    changed = field.casing_transform(probe)
    case = next(case for case, change in CASES.items() if change(probe) == changed)
    return {"kind": "choice", "choices": list(field.allowed_values), "case": case}


def _hooks(schema: Schema) -> Iterator[tuple[str, str]]:
    for kind, hooks in sorted(schema._hooks.items()):
        for name, *_ in hooks:
            if "dump" not in kind:
                owner = next(cls for cls in type(schema).__mro__ if name in cls.__dict__)
                yield name, owner.__name__


def _merge(node: dict[str, Any], keywords: Mapping[str, Any]) -> None:
    for key, value in keywords.items():
        if isinstance(value, bool):
            node[key] = value
        elif isinstance(value, list):
            node[key] = sorted({*node.get(key, ()), *value})
        else:
            node[key] = {**node.get(key, {}), **value}


if __name__ == "__main__":
    PATH.write_text(generate(), encoding="utf-8")

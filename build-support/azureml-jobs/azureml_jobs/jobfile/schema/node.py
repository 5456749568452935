"""Look up what the schema says of one key in a job file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SchemaNode:
    """What the schema says of one value in a job file: all parts that can apply to it."""

    schema: Mapping[str, Any]
    parts: tuple[Any, ...]

    @classmethod
    def root(cls, schema: Mapping[str, Any]) -> SchemaNode:
        return cls(schema, (schema,))

    def child(self, key: str) -> SchemaNode | None:
        """Return the node of `key` in this mapping, or None when no such key is valid."""
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
        return SchemaNode(self.schema, tuple(found)) if found else None

    def item(self) -> SchemaNode | None:
        """Return the node of an item of this list, or None when it cannot be a list."""
        found = tuple(part["items"] for part in self._flat() if "items" in part)
        return SchemaNode(self.schema, found) if found else None

    def keys(self) -> list[str]:
        """Return the keys that the schema names here, without those that Azure ML sets."""
        return list(dict.fromkeys(key for part in self._flat() for key in settable_keys(part)))

    def paths_to(self, key: str) -> list[str]:
        """Return where else below this node `key` is valid: `shm_size` as `resources.shm_size`."""
        children = ((name, self.child(name)) for name in self.keys())
        return [f"{name}.{key}" for name, child in children if child and key in child.keys()]

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


def settable_keys(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that one part of the schema names, without those that Azure ML sets."""
    for key, value in part.get("properties", {}).items():
        if value is True or (value is not False and not value.get("readOnly")):
            yield key


def _allows(part: Mapping[str, Any], type_name: str) -> bool:
    types = part.get("type", ())
    return type_name in ([types] if isinstance(types, str) else types)

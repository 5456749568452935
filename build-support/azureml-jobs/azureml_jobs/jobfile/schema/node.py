"""Look up what the schema says of one key in a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.jobfile.schema.validate import definitions, problems_of, resolved, types_of


@dataclass(frozen=True)
class SchemaNode:
    """What the schema says of one value in a file: all parts that can apply to it."""

    parts: tuple[Any, ...]

    @classmethod
    def root(cls, kind: str) -> SchemaNode:
        return cls((definitions()[kind],))

    def child(self, key: str) -> SchemaNode | None:
        """Return the node of `key` in this mapping, or None when no such key is valid."""
        found: list[Any] = []
        for part in self._flat():
            is_open = part.get("type") == "object" and "properties" not in part
            others = part.get("additionalProperties", {"kind": "any"} if is_open else None)
            found.append(part.get("properties", {}).get(key, others))
        found = [part for part in found if isinstance(part, Mapping)]
        return SchemaNode(tuple(found)) if found else None

    def item(self) -> SchemaNode | None:
        """Return the node of an item of this list, or None when it cannot be a list."""
        found = tuple(part["items"] for part in self._flat() if "items" in part)
        return SchemaNode(found) if found else None

    def for_value(self, value: Any) -> SchemaNode:
        """Return this node without the parts that a `type` or `task` in the value excludes."""
        parts: tuple[Any, ...] = tuple(self._flat())
        for key in ("type", "task"):
            if isinstance(value, Mapping) and key in value:
                fitting = tuple(part for part in parts if self._takes(part, key, value[key]))
                parts = fitting or parts
        return SchemaNode(parts)

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
        found = [value for part in self._flat() for value in part.get("choices", ())]
        return list(dict.fromkeys(found))

    @property
    def is_literal(self) -> bool:
        """True where text and numbers are both valid, as in a literal input."""
        return "text" in self.kinds and not self.kinds.isdisjoint(("integer", "number"))

    @property
    def takes_mapping(self) -> bool:
        return any("object" in types_of(part) for part in self._flat())

    @property
    def takes_list(self) -> bool:
        return any("array" in types_of(part) for part in self._flat())

    def _takes(self, part: Mapping[str, Any], key: str, value: Any) -> bool:
        node = part.get("properties", {}).get(key)
        return node is None or node is True or not problems_of(value, node)

    def _flat(self) -> Iterator[Mapping[str, Any]]:
        waiting = list(reversed(self.parts))
        while waiting:
            part = resolved(waiting.pop())
            deeper = list(part.get("anyOf", ()))
            if "divide" in part:
                cases = part["divide"]
                deeper += [*cases["cases"].values(), *([cases["else"]] if "else" in cases else [])]
            if deeper:
                waiting += reversed(deeper)
            elif part.get("type") != "null":
                yield part


def settable_keys(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that one part of the schema names, without those that Azure ML sets."""
    for key, value in part.get("properties", {}).items():
        if value is not False and "readOnly" not in value:
            yield key

"""Change one thing in a file, as people do by mistake."""

from __future__ import annotations

import copy
import datetime
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_ODD_VALUES: tuple[Any, ...] = (
    *(None, "", " ", 0, 1, -1, 5, 2.5, 1e-3, 10**20, float("inf"), float("nan"), True, False),
    *("5", "2.5", "1e-3", " 5 ", "0o17", "true", "Yes", "on", "null", "None", "text", "Ärger"),
    *("azureml:", "azureml:a", "azureml:a:1", "azureml:a@latest", "azureml:a/b:1", "azureml://a"),
    *("azureml://registries/r/components/c/versions/1", "git+https://a", "https://a.b/c", "file:x"),
    *("azureml://datastores/d/paths/p", "${{parent.inputs.x}}", "${{parent.outputs.y}}"),
    *("a-b", "A b", "uri_file", "integer", "command", "pipeline", "2026-01-31", "1.5.2"),
    *(datetime.date(2026, 1, 31), datetime.datetime(2026, 1, 31, 10)),
    *([], {}, [None], ["a"], [1], {"a": 1}, {"a": None}, {"value": 5}, {"type": "uri_file"}),
)
_ODD_KEYS: tuple[Any, ...] = ("", "banana", "a-b", "A", "type", "value", "path", 5, True, None)

# What holds a value, its key there, and that key below the one above: 0 is any element of a list.
Place = tuple[Any, Any, tuple[Any, Any]]


def mutated(
    documents: Mapping[str, Mapping[str, Any]], seed: int
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield changed copies of the documents: the name, the copy, and what was changed.

    One thing is changed in each: every key, once below each key that it stands below.
    """
    donors = list(documents.values())
    seen = set()
    for name, document in documents.items():
        for number, (_, _, path) in enumerate(_places(document)):
            if path not in seen:
                seen.add(path)
                chance = random.Random(f"{seed} {name} {number}")
                changed = copy.deepcopy(dict(document))
                holder, key, _ = list(_places(changed))[number]
                yield name, changed, _change(holder, key, donors, chance)


def _places(value: Any, above: Any = None) -> Iterator[Place]:
    is_mapping = isinstance(value, dict)
    for key, child in value.items() if is_mapping else enumerate(value):
        this = key if is_mapping else 0
        yield value, key, (above, this)
        if isinstance(child, (dict, list)):
            yield from _places(child, this)


def _change(
    holder: Any, key: Any, donors: Sequence[Mapping[str, Any]], chance: random.Random
) -> str:
    old = holder.get(key) if isinstance(holder, dict) else holder[key]
    kind = chance.choice(("odd", "odd", "drop", "rename", "case", "text", "swap", "add", "wrap"))
    if kind == "drop":
        del holder[key]
        return f"{key} dropped"
    if kind == "rename" and isinstance(holder, dict):
        letters = str(key)
        options = (letters[:-1], letters + "s", letters.upper(), chance.choice(_ODD_KEYS))
        new = chance.choice(options)
        holder[new] = holder.pop(key)
        return f"{key} renamed={new!r}"
    if kind == "add" and isinstance(old, dict):
        other = chance.choice(list(_places(dict(chance.choice(list(donors))))))
        old[other[1]] = copy.deepcopy(other[0][other[1]])
        return f"{key}.{other[1]} added={old[other[1]]!r}"
    if kind == "swap":
        other = chance.choice(list(_places(dict(chance.choice(list(donors))))))
        holder[key] = copy.deepcopy(other[0][other[1]])
    elif kind == "case" and isinstance(old, str):
        holder[key] = chance.choice((old.upper(), old.title(), old.replace("_", "")))
    elif kind == "text" and not isinstance(old, (dict, list)):
        holder[key] = str(old)
    elif kind == "wrap":
        holder[key] = chance.choice(([old], {"a": old}, {"value": old}, [old, old]))
    else:
        holder[key] = copy.deepcopy(chance.choice(_ODD_VALUES))
    return f"{key} {kind}={holder[key]!r}"

"""Dataclasses as JSON: their fields are plain data, dataclasses, and collections of these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from azureml_jobs.base.files import write_file

Kind = TypeVar("Kind")
_kinds_of: Any = lru_cache(get_type_hints)


def from_data(kind: Any, data: Any) -> Any:
    """Return the value of the type `kind` that JSON has as `data`."""
    if is_dataclass(kind):
        kinds = _kinds_of(kind)
        parts = {name: from_data(kinds[name], part) for name, part in data.items()}
        return cast(Any, kind)(**parts)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (tuple, list):
        return origin(from_data(inner[0], part) for part in data)
    if origin in (dict, Mapping):
        return {name: from_data(inner[1], part) for name, part in data.items()}
    if origin in (Union, UnionType) and data is not None:
        (only,) = (each for each in inner if each is not type(None))
        return from_data(only, data)
    return data


def write_data(path: Path, value: Any) -> None:
    """Write a dataclass in one step; text keeps bytes that are not UTF-8."""
    # YAML has dates, which commands get as text.
    text = json.dumps(asdict(value), indent=1, ensure_ascii=False, default=str)
    write_file(path, text + "\n")


def read_data(kind: type[Kind], path: Path) -> Kind:
    """Return the dataclass that `write_data` wrote."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    return cast(Kind, from_data(kind, json.loads(text)))

"""The JSON schemas of job, component and schedule files, as generate.py wrote them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.schema.kind import (
    COMPONENT_TYPES,
    JOB_TYPES,
    TRANSFER_TASKS,
    family_of,
    kind_of,
)

PATH = Path(__file__).with_name("azure-ai-ml.schema.json")


@functools.lru_cache(maxsize=None)
def definitions() -> dict[str, Any]:
    """Return all parts of the schemas by their names; each kind is one of them."""
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))["$defs"]
    return found


def known_kind_of(document: Mapping[str, Any], path: str) -> str:
    """Return the kind of the document, or raise `JobError` when there is none."""
    kind = kind_of(document)
    if kind is not None:
        return kind
    family = family_of(document)
    if family is None:
        raise JobError(
            f"{path}: $schema",
            f"`{document['$schema']}` is no schema of a job, a component or a schedule",
            "Write the schema of this file, or remove the line.",
        )
    key = "type"
    known: tuple[str, ...] = JOB_TYPES if family == "job" else (*COMPONENT_TYPES, "data_transfer")
    if str(document.get("type")).lower() == "data_transfer":
        key, known = "task", TRANSFER_TASKS
    what = "a task of data transfer" if key == "task" else f"a type of {family}"
    written = document.get(key)
    if written is None:
        raise JobError(f"{path}: {key}", "this key has no value", f"Write one of {_list(known)}.")
    raise JobError(
        f"{path}: {key}", f"`{written}` is not {what}", suggestion(str(written), list(known))
    )


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)

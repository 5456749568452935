"""Find out what kind of Azure ML file a YAML document is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

JOB_TYPES = (
    *("automl", "command", "distillation", "finetuning", "import", "pipeline", "spark", "sweep"),
)
COMPONENT_TYPES = ("automl", "command", "import", "parallel", "pipeline", "spark")
TRANSFER_TASKS = ("copy_data", "export_data", "import_data")
_SCHEDULES = {"create_monitor": "monitor schedule", "import_data": "import schedule"}
# `commandJob` in https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
_SCHEMA_NAME = re.compile(r"([^/]+?)(?:\.schema)?\.json$")
# Keys and types of inputs that a component may have, and a job never has.
_COMPONENT_KEYS = {"version", "is_deterministic", "additional_includes"}
_DECLARATION_KEYS = {"default", "optional", "enum", "min", "max"}
_PARAMETER_TYPES = {"string", "number", "integer", "boolean"}


def kind_of(document: Mapping[str, Any]) -> str | None:
    """Return the kind of the document, such as "command job", or None if it is of no known kind.

    A kind is "TYPE job" or "TYPE component" with the `type` as azure-ai-ml reads it, "job schedule",
    "monitor schedule" or "import schedule". azure-ai-ml takes a command where there is no `type`.
    It has one function for jobs, one for components and one for schedules, and leaves the choice to
    the user (`az ml job create` or `az ml component create`): here `$schema` decides, else the keys.
    """
    family = family_of(document)
    if family == "schedule":
        found = (name for key, name in _SCHEDULES.items() if key in document)
        return next(found, "job schedule")
    if family == "job":
        return known_kind(document.get("type", "command"), JOB_TYPES, "job")
    return component_kind(document) if family == "component" else None


def component_kind(document: Mapping[str, Any]) -> str | None:
    """Return the kind of a document that is a component, as where a pipeline names it."""
    written = document.get("type")
    if written is None:
        return "command component"
    text = written.rpartition("@")[0] or written if isinstance(written, str) else written
    if isinstance(text, str) and text.lower() == "data_transfer":
        return known_kind(document.get("task"), TRANSFER_TASKS, "component")
    return known_kind(text.lower() if isinstance(text, str) else text, COMPONENT_TYPES, "component")


def family_of(document: Mapping[str, Any]) -> str | None:
    """Return "job", "component" or "schedule", or None for a file that is none of them."""
    schema = document.get("$schema")
    match = _SCHEMA_NAME.search(schema) if isinstance(schema, str) else None
    if match:
        name = match.group(1).lower()
        if not name.endswith(("job", "component", "schedule")):
            return None
        return next(family for family in ("job", "component", "schedule") if name.endswith(family))
    if any(key in document for key in ("create_job", "trigger", *_SCHEDULES)):
        return "schedule"
    if document.get("type") in ("parallel", "data_transfer") or _declares(document):
        return "component"
    return "job"


def known_kind(value: Any, known: tuple[str, ...], family: str) -> str | None:
    return f"{value} {family}" if value in known else None


def _declares(document: Mapping[str, Any]) -> bool:
    if not _COMPONENT_KEYS.isdisjoint(document):
        return True
    inputs = document.get("inputs")
    values = inputs.values() if isinstance(inputs, Mapping) else ()
    return any(
        isinstance(value, Mapping)
        and (not _DECLARATION_KEYS.isdisjoint(value) or value.get("type") in _PARAMETER_TYPES)
        for value in values
    )

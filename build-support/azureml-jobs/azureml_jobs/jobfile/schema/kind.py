"""Find out what kind of Azure ML file a YAML document is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import Documents, mapping_of, nodes_of, references_of

JOB_TYPES = tuple("automl command distillation finetuning import pipeline spark sweep".split())
COMPONENT_TYPES = ("automl", "command", "import", "parallel", "pipeline", "spark")
TRANSFER_TASKS = ("copy_data", "export_data", "import_data")
_LOCAL_TYPES = frozenset({"command", "pipeline", "sweep"})
_SCHEDULES = {"create_monitor": "monitor schedule", "import_data": "import schedule"}
# `commandJob` in https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
_SCHEMA_NAME = re.compile(r"([^/]+?)(?:\.schema)?\.json$")
# Keys and types of inputs that a component may have, and a job never has.
_COMPONENT_KEYS = {"version", "is_deterministic", "additional_includes"}
_DECLARATION_KEYS = {"default", "optional", "enum", "min", "max"}


def kind_of(document: Mapping[str, Any]) -> str | None:
    """Return the kind of the document, such as "command job", or None if it has none.

    A kind is "TYPE job" or "TYPE component" with the `type` as azure-ai-ml reads it (a command
    where there is none), "job schedule", "monitor schedule" or "import schedule". azure-ai-ml has
    one function for jobs, one for components and one for schedules, and the user chooses (`az ml
    job create` or `az ml component create`): here `$schema` decides, else the keys.
    """
    kinds = {"job": job_kind, "component": component_kind, "schedule": schedule_kind}
    family = _family_of(document)
    return kinds[family](document) if family else None


def known_kind_of(document: Mapping[str, Any], path: str) -> str:
    """Return the kind of the document, or raise `JobError` when there is none."""
    kind, family, key = kind_of(document), _family_of(document), "type"
    if kind is not None:
        return kind
    if family is None:
        raise JobError(
            f"{path}: $schema",
            f"`{document['$schema']}` is no schema of a job, a component or a schedule",
            "Write the schema of this file, or remove the line.",
        )
    known: tuple[str, ...] = JOB_TYPES if family == "job" else (*COMPONENT_TYPES, "data_transfer")
    if str(document.get("type")).lower() == "data_transfer":
        key, known = "task", TRANSFER_TASKS
    written = document.get(key)
    if written is None:
        listed = ", ".join(f"`{value}`" for value in known)
        raise JobError(f"{path}: {key}", "this key has no value", f"Write one of {listed}.")
    what = "a task of data transfer" if key == "task" else f"a type of {family}"
    remedy = suggestion(str(written), list(known))
    raise JobError(f"{path}: {key}", f"`{written}` is not {what}", remedy)


def job_kind(document: Mapping[str, Any]) -> str | None:
    """Return the kind of a document that is a job (`Job._resolve_cls_and_type`)."""
    return _known(document.get("type", "command"), JOB_TYPES, "job")


def component_kind(document: Mapping[str, Any]) -> str | None:
    """Return the kind of a document that is a component (`get_type_from_spec`)."""
    written = document.get("type")
    if written is None:
        # A prompt flow is a component by its `$schema`, and has keys of its own.
        return None if "/promptflow/" in str(document.get("$schema")) else "command component"
    kind = (written.rpartition("@")[0] or written).lower() if isinstance(written, str) else None
    if kind == "data_transfer":
        return _known(document.get("task"), TRANSFER_TASKS, "component")
    return _known(kind, COMPONENT_TYPES, "component")


def schedule_kind(document: Mapping[str, Any]) -> str:
    """Return the kind of a document that is a schedule (`Schedule._resolve_cls_and_type`)."""
    found = (name for key, name in _SCHEDULES.items() if key in document)
    return next(found, "job schedule")


def _family_of(document: Mapping[str, Any]) -> str | None:
    """Return "job", "component" or "schedule", or None for a file that is none of them."""
    schema = document.get("$schema")
    match = _SCHEMA_NAME.search(schema) if isinstance(schema, str) else None
    if match:
        name = match.group(1).lower()
        families = ("component", "schedule", "job")
        return next((family for family in families if name.endswith(family)), None)
    if any(key in document for key in ("create_job", "trigger", *_SCHEDULES)):
        return "schedule"
    if document.get("type") in ("parallel", "data_transfer") or _declares(document):
        return "component"
    return "job"


def _known(value: Any, known: tuple[str, ...], family: str) -> str | None:
    return f"{value} {family}" if value in known else None


def _declares(document: Mapping[str, Any]) -> bool:
    """Return whether this is a component, which has a name, by what it declares."""
    if not _COMPONENT_KEYS.isdisjoint(document) or "name" not in document:
        return "name" in document
    values = mapping_of(document.get("inputs")).values()
    return any(
        isinstance(value, Mapping)
        and (not _DECLARATION_KEYS.isdisjoint(value) or "type" in value and "path" not in value)
        for value in values
    )


def kinds_of_documents(documents: Documents, root: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each document that `root` refers to, directly or not, and its kind.

    A file that is not there is left out. A document that is used in two ways has two kinds.
    """
    done = set()
    waiting = [root]
    while waiting:
        path = waiting.pop()
        for reference in references_of(documents[path], path):
            inner = reference.path
            found = kind_in_role(documents[inner], reference.role) if inner in documents else None
            if found is not None and (inner, found) not in done:
                done.add((inner, found))
                waiting.append(inner)
                yield inner, found


def kind_in_role(document: Mapping[str, Any], role: str) -> str | None:
    """Return the kind that a file must be in this role, or None where azure-ai-ml takes any."""
    if role == "job":
        return job_kind(document)
    if role == "environment":
        return "environment file"
    step = role.rpartition(" ")[0]
    written = component_kind(document)
    if written is None or (step == "parallel" and written != "parallel component"):
        # A flow, or a component that has a name.
        return written
    return f"anonymous {step} component" if step else f"anonymous {written}"


def azure_only_parts(documents: Documents, job_file: str) -> tuple[tuple[str, str], ...]:
    """Return where a job has what only Azure ML runs, and what that is, such as "spark step".

    There is nothing for a job that can run on this machine, and for a component of such jobs.
    """
    kind = kind_of(documents[job_file]) or "file of an unknown kind"
    if kind.rpartition(" ")[0] not in _LOCAL_TYPES:
        return ((job_file, kind),)
    return tuple(
        (": ".join(filter(None, (path, ".".join(node.keys)))), f"{node.type} step")
        for path, document in documents.items()
        for node in nodes_of(document)
        if node.type not in _LOCAL_TYPES
    )


def has_sweep(documents: Documents) -> bool:
    """Return whether the job is a sweep or has one among its steps."""
    return any(node.type == "sweep" for each in documents.values() for node in nodes_of(each))

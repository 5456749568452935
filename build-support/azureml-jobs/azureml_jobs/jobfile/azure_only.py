"""Find what only Azure ML can run: kinds of jobs and steps that this machine has nothing for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_jobs.jobfile.documents import nodes_of
from azureml_jobs.jobfile.schema.kind import kind_of

_LOCAL_TYPES = frozenset({"command", "pipeline", "sweep"})


def azure_only_parts(
    documents: Mapping[str, Mapping[str, Any]], job_file: str
) -> tuple[tuple[str, str], ...]:
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


def has_sweep(documents: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the job is a sweep or has one among its steps."""
    return any(node.type == "sweep" for each in documents.values() for node in nodes_of(each))

"""What kind each file must be to which a document refers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.documents import references_of
from azureml_jobs.jobfile.schema.kind import component_kind, job_kind


def kinds_of_documents(
    documents: Mapping[str, Mapping[str, Any]], root: str
) -> Iterator[tuple[str, str]]:
    """Yield the path of each document that `root` refers to, directly or not, and its kind.

    `documents` maps paths to contents; a file that is not there is left out. A document that is
    used in two ways has two kinds.
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

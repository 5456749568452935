"""The local YAML files that a document refers to, and what kind each must be."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.jobfile.schema.kind import component_kind, job_kind


@dataclass(frozen=True)
class ReferredFile:
    """A file that is written at `key_path`, as it is written, without `file:`.

    role: what it is there: "job", "environment", or "TYPE step" for the component of a pipeline's
    step, with no type where the step has none.
    """

    key_path: str
    path: str
    role: str

    def kind_of(self, document: Mapping[str, Any]) -> str | None:
        """Return the kind of the file's content, or None where azure-ai-ml takes any."""
        if self.role == "job":
            return job_kind(document)
        if self.role == "environment":
            return "environment file"
        step = self.role.rpartition(" ")[0]
        written = component_kind(document)
        if written is None or (step == "parallel" and written != "parallel component"):
            # A flow, or a component that has a name.
            return written
        return f"anonymous {step} component" if step else f"anonymous {written}"


def kinds_of_documents(
    documents: Mapping[str, Mapping[str, Any]], root: str, kind: str
) -> Iterator[tuple[str, str]]:
    """Yield the path of each document that `root` refers to, directly or not, and its kind.

    `documents` maps paths to contents; a file that is not there is left out. A document that is
    used in two ways has two kinds.
    """
    done = set()
    waiting = [(root, kind)]
    while waiting:
        path, kind = waiting.pop()
        for referred in referred_files(documents[path], kind):
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), referred.path))
            found = referred.kind_of(documents[inner]) if inner in documents else None
            if found is not None and (inner, found) not in done:
                done.add((inner, found))
                waiting.append((inner, found))
                yield inner, found


def referred_files(document: Mapping[str, Any], kind: str) -> Iterator[ReferredFile]:
    """Yield the files to which a document of this kind refers."""
    if kind == "job schedule":
        job = document.get("create_job")
        if isinstance(job, Mapping):
            yield from _file("create_job.job", job.get("job"), "job")
        else:
            yield from _file("create_job", job, "job")
    if kind == "pipeline job":
        yield from _file("component", document.get("component"), "pipeline step")
    yield from _environment("", document)
    yield from _environment("trial", document.get("trial"))
    yield from _environment("task", document.get("task"))
    steps = document.get("jobs")
    for name, step in steps.items() if isinstance(steps, Mapping) else ():
        if isinstance(step, Mapping):
            yield from _of_step(f"jobs.{name}", step)


def _of_step(key_path: str, step: Mapping[str, Any]) -> Iterator[ReferredFile]:
    kind = str(step.get("type", "")).lower()
    if kind == "data_transfer":
        kind = str(step.get("task")).lower()
    role = f"{'command' if kind == 'sweep' else kind} step"
    for key in ("component", "trial"):
        inner = step.get(key)
        yield from _file(f"{key_path}.{key}", inner, role)
        yield from _environment(f"{key_path}.{key}", inner)
    yield from _environment(key_path, step)
    yield from _environment(f"{key_path}.task", step.get("task"))


def _environment(key_path: str, holder: Any) -> Iterator[ReferredFile]:
    environment = holder.get("environment") if isinstance(holder, Mapping) else None
    if isinstance(environment, str) and environment.startswith("file:"):
        place = f"{key_path}.environment" if key_path else "environment"
        yield from _file(place, environment, "environment")


def _file(key_path: str, value: Any, role: str) -> Iterator[ReferredFile]:
    if isinstance(value, str) and value and not value.startswith("azureml:"):
        yield ReferredFile(key_path, value.removeprefix("file:"), role)

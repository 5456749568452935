"""The named outputs of a job file as local paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.local.folder import JobFolder


@dataclass(frozen=True)
class ResolvedOutput:
    """`path` is what `${{outputs.<name>}}` stands for; `folder` has to exist for it."""

    type: str
    path: Path
    folder: Path
    # Where Azure ML would keep it; the local workspace keeps it with the job.
    remote: str | None = None


def resolve_outputs(job: Mapping[str, Any], folder: JobFolder) -> dict[str, ResolvedOutput]:
    """The outputs of `job`: a folder each, or a file of the output's name in such a folder.

    Makes nothing. Azure ML's `default` output is not among them: it is what a job leaves in its
    `./outputs` and `./logs`, whether the job file names it or not.
    """
    resolved = {}
    for name, given in (job.get("outputs") or {}).items():
        if name == "default":
            continue
        described = given if isinstance(given, Mapping) else {}
        kind = str(described.get("type", "uri_folder"))
        own = folder.outputs / str(name)
        remote = described.get("path")
        resolved[str(name)] = ResolvedOutput(
            kind,
            own / str(name) if kind == "uri_file" else own,
            own,
            None if remote is None else str(remote),
        )
    return resolved

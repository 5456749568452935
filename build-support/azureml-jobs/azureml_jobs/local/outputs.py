"""Resolve the named outputs of a job file to local paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.local.folder import JobFolder


@dataclass(frozen=True)
class ResolvedOutput:
    """`path` is what `${{outputs.<name>}}` stands for; `folder` must exist for it."""

    type: str
    path: Path
    folder: Path
    # Where Azure ML would keep it; the local workspace keeps it with the job.
    remote: str | None = None


def resolve_outputs(job: Mapping[str, Any], folder: JobFolder) -> dict[str, ResolvedOutput]:
    """Return the outputs of `job`: a folder each, or a file of the output's name in such a folder.

    Creates nothing. Leaves out Azure ML's `default` output: it is what a job writes to `./outputs`
    and `./logs`, whether the job file names it or not.
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

"""Resolve the named outputs of a job file to local paths."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.local.folder import JobFolder


@dataclass(frozen=True)
class ResolvedOutput:
    """`path` is what `${{outputs.<name>}}` stands for; `folder` must exist for it."""

    path: Path
    folder: Path


def resolve_outputs(job: Mapping[str, Any], folder: JobFolder) -> dict[str, ResolvedOutput]:
    """Return the outputs of `job`: a folder each, or a file of the output's name in such a folder.

    Creates nothing. Leaves out Azure ML's `default` output: it is what a job writes to `./outputs`
    and `./logs`, whether the job file names it or not.
    """
    resolved = {}
    for name, given in (job.get("outputs") or {}).items():
        if name == "default":
            continue
        own = folder.outputs / str(name)
        is_file = isinstance(given, Mapping) and given.get("type") == "uri_file"
        resolved[str(name)] = ResolvedOutput(own / str(name) if is_file else own, own)
    return resolved


def keep_artifacts(folder: JobFolder, outputs: Mapping[str, str]) -> None:
    """Copy what a job wrote without naming it to its output `artifacts`, if that is empty.

    By this name a step of a pipeline gives `./outputs`, `./logs` and its log to others.
    """
    own = Path(outputs.get("artifacts", ""))
    if "artifacts" in outputs and own.is_dir() and not any(own.iterdir()):
        for source in (folder.work / "outputs", folder.work / "logs", folder.log.parent):
            shutil.copytree(source, own / source.name, symlinks=True)

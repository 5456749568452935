"""Find an earlier step with the same code, environment and inputs, whose outputs serve again."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.job_status import COMPLETED, now
from azureml_jobs.bundle.data import data_files
from azureml_jobs.local.create_command import Place
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import UnitRun
from azureml_jobs.local.workspace import LocalWorkspace

# Above it, sizes and times stand for contents.
_READ_BYTES = 100_000_000
# Keys of a step that decide what it writes, next to its code, environment and inputs.
_KEYS = (
    *("command", "outputs", "environment_variables", "distribution", "resources", "trial"),
    *("search_space", "sampling_algorithm", "objective", "limits", "early_termination"),
)


def reuse_key(job: Mapping[str, Any], unit: UnitRun, identities: Mapping[str, str]) -> str:
    """Return what two steps have in common if one can have the outputs of the other.

    `identities` are those of the inputs. A step that is not deterministic has nothing in common.
    """
    if job.get("is_deterministic") is False:
        return ""
    parts = {
        "job": {key: job[key] for key in _KEYS if key in job},
        "snapshot": unit.snapshot,
        "environment": [
            unit.environment,
            unit.python,
            unit.runtime.image and unit.runtime.image.id,
        ],
        "inputs": dict(identities),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def earlier_steps(workspace: LocalWorkspace) -> dict[str, JobRecord]:
    """Return the steps that completed, by what they have in common with later ones."""
    return {
        record.reuse_key: record
        # The newest of those with the same key comes last, and stays.
        for record in reversed(workspace.jobs())
        if record.reuse_key and record.status == COMPLETED and not record.reused
    }


def has_its_outputs(record: JobRecord) -> bool:
    """Return whether nobody has changed the outputs of a job since it completed."""
    return outputs_fingerprint(record) == record.outputs_fingerprint


def reusing(earlier: JobRecord, place: Place) -> JobRecord:
    """Return the record of a step that has the outputs of an earlier one."""
    time = now()
    return replace(
        earlier,
        **asdict(place),
        reused=earlier.name,
        created=time,
        started=time,
        ended=time,
        timings={"total": 0.0},
        warnings=[],
        is_archived=False,
        pid=None,
        pgid=None,
    )


def fingerprint(path: Path) -> str:
    """Return what changes with the names or contents of the files at `path`.

    Files that cannot be read are never the same.
    """
    try:
        entries = _entries(path)
    except OSError:
        return uuid.uuid4().hex
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def outputs_fingerprint(record: JobRecord) -> str:
    """Return the same for all outputs of a job."""
    return " ".join(fingerprint(Path(path)) for _, path in sorted(record.outputs.items()))


def _entries(path: Path) -> list[tuple[str, int, object]]:
    files = data_files(path)
    stats = [file.stat() if file.exists() else file.lstat() for file in files]
    is_read = sum(stat.st_size for stat in stats) <= _READ_BYTES
    entries = []
    for file, stat in zip(files, stats):
        content: object = stat.st_mtime_ns
        if is_read and file.is_file():
            content = file_digest(file)
        entries.append((str(file.relative_to(path)), stat.st_size, content))
    return entries

"""Notice that files have changed, without reading them: data may be large."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from azureml_jobs.bundle.data import files_below
from azureml_jobs.local.record import JobRecord


def fingerprint(path: Path) -> str:
    """Return what changes with the names, sizes or times of the files at `path`."""
    entries = []
    for file in files_below(path) if path.is_dir() else [path]:
        stat = file.stat() if file.exists() else file.lstat()
        entries.append((str(file.relative_to(path)), stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(json.dumps(sorted(entries)).encode()).hexdigest()


def outputs_fingerprint(record: JobRecord) -> str:
    """Return the same for all outputs of a job; empty when one cannot be read."""
    try:
        return " ".join(fingerprint(Path(path)) for _, path in sorted(record.outputs.items()))
    except OSError:
        return ""

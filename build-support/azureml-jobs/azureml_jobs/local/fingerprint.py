"""Notice that data has changed; large data is not read for that."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path

from azureml_jobs.base.digest import file_digest
from azureml_jobs.bundle.data import files_below
from azureml_jobs.local.record import JobRecord

# Above it, sizes and times stand for contents.
_READ_BYTES = 100_000_000


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
    files = files_below(path) if path.is_dir() else [path]
    stats = [file.stat() if file.exists() else file.lstat() for file in files]
    is_read = sum(stat.st_size for stat in stats) <= _READ_BYTES
    entries = []
    for file, stat in zip(files, stats):
        content: object = stat.st_mtime_ns
        if is_read and file.is_file():
            content = file_digest(file)
        entries.append((str(file.relative_to(path)), stat.st_size, content))
    return entries

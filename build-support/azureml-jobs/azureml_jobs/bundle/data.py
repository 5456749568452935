"""Data on this machine that a job's inputs name by a path."""

from __future__ import annotations

import errno
import os
import posixpath
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LocalData:
    """The data of the input `name`; `path` is relative to the repository's root, or absolute."""

    name: str
    path: str


def local_data(job: Mapping[str, Any], job_file: str) -> tuple[LocalData, ...]:
    """Return the inputs of the job whose data is on this machine."""
    found = []
    for name, value in (job.get("inputs") or {}).items():
        path = value.get("path") if isinstance(value, Mapping) else None
        if not isinstance(path, str) or "://" in path or path.startswith("azureml:"):
            continue
        # An absolute path stays what it is: join() drops what is before it.
        local = posixpath.normpath(posixpath.join(posixpath.dirname(job_file), path))
        found.append(LocalData(str(name), local))
    return tuple(found)


def copy_data(original: Path, copy: Path) -> None:
    """Copy contents alone: modes and times of data mean nothing, and differ among machines."""
    files = files_below(original) if original.is_dir() else [original]
    (copy if original.is_dir() else copy.parent).mkdir(parents=True)
    for file in files:
        target = copy / file.relative_to(original)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o644)


def files_below(folder: Path, parents: tuple[Path, ...] = ()) -> list[Path]:
    """Return all files, those behind links to folders included, as Azure ML would upload them."""
    real = folder.resolve()
    if real in parents:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        found += files_below(path, (*parents, real)) if path.is_dir() else [path]
    return found

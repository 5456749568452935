"""Find the record of what a local job ran: manifest, changes and code."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.names import CODE_FOLDER, DIFF_FILE, MANIFEST_FILE
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord


def recorded_manifest(folder: JobFolder, record: JobRecord) -> dict[str, Any]:
    """Return the manifest of a job, that of a step or a trial is its root's; {} for none."""
    root = JobFolder(folder.path.with_name(record.root or record.name))
    try:
        manifest: dict[str, Any] = json.loads((root.bundle / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return manifest


def copy_record(folder: JobFolder, destination: Path, with_code: bool) -> None:
    """Copy the record into a new folder. That of a step or a trial is its root's.

    Raises `JobError` for a job that has none.
    """
    root = JobFolder(folder.path.parent / (folder.read().root or folder.name))
    names = [MANIFEST_FILE, DIFF_FILE, *([CODE_FOLDER] if with_code else [])]
    if not (root.bundle / MANIFEST_FILE).is_file():
        raise JobError(
            folder.name,
            "the job has no record of what it ran",
            "Name a job that `./pants run` made, and whose folder is whole.",
        )
    try:
        destination.mkdir(parents=True)
        for name in names:
            if (root.bundle / name).is_dir():
                shutil.copytree(root.bundle / name, destination / name, symlinks=True)
            elif os.path.lexists(root.bundle / name):
                shutil.copyfile(root.bundle / name, destination / name)
    except OSError as error:
        raise OutsideError(
            folder.name, f"its record could not be copied to {destination}: {error}"
        ) from error

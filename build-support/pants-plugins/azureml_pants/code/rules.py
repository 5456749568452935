"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.code import (
    entry_points,
    environment_files,
    imports,
    job_entry_points,
    job_file,
    requirement_files,
    target_files,
)


def rules():
    return [
        *entry_points.rules(),
        *environment_files.rules(),
        *imports.rules(),
        *job_entry_points.rules(),
        *job_file.rules(),
        *requirement_files.rules(),
        *target_files.rules(),
    ]

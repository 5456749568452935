"""Refuse links that lead out of the repository, and warn of what is too large for Azure ML."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.jobfile.limits import (
    CONTEXT_BYTES,
    CONTEXT_FILES,
    SNAPSHOT_BYTES,
    SNAPSHOT_FILES,
)

SIZE_WARNING_BYTES = 100 * 1024 * 1024


def check_links(repository: Path, paths: Sequence[str], where: str) -> None:
    """Raise `JobError` for a symbolic link that leads out of the repository, or nowhere."""
    root = repository.resolve()
    for path in paths:
        if not os.path.lexists(repository / path):
            # Generated: it is only in the folder that Pants gathered.
            continue
        try:
            target = (repository / path).resolve(strict=True)
        except FileNotFoundError as error:
            raise JobError(
                where,
                f"{path} is a symbolic link that leads nowhere",
                "Replace it by the file itself, or take it out of the target's sources.",
            ) from error
        except (OSError, RuntimeError) as error:
            # Python up to 3.12 raises RuntimeError for a circle of links, later versions OSError.
            raise JobError(
                where, f"{path} is a symbolic link in a circle", "Replace it by the file itself."
            ) from error
        if target != root and root not in target.parents:
            raise JobError(
                where,
                f"{path} is a symbolic link that leads out of the repository",
                "Replace the link by the file itself, or take it out of the target's sources.",
            )


def size_warnings(files: Sequence[BundleFile]) -> Iterator[str]:
    """Yield warnings of a snapshot with large files, or with many."""
    total = sum(file.size for file in files)
    if total > SIZE_WARNING_BYTES:
        largest = sorted(files, key=lambda file: -file.size)[:3]
        named = ", ".join(f"{file.source} ({file.size / 1e6:.0f} MB)" for file in largest)
        yield (
            f"the snapshot is {total / 1e6:.0f} MB, and Azure ML's limit is "
            f"{SNAPSHOT_BYTES / 1e6:.0f} MB. The largest files: {named}. "
            "Data is better passed as an input of the job."
        )
    if len(files) > SNAPSHOT_FILES:
        yield (
            f"the snapshot has {len(files)} files, and Azure ML's limit is {SNAPSHOT_FILES}. "
            "Data is better passed as an input of the job."
        )


def context_warnings(files: Sequence[BundleFile]) -> Iterator[str]:
    """Yield a warning of a Docker build context that is larger than Azure ML builds."""
    total = sum(file.size for file in files)
    if len(files) > CONTEXT_FILES or total > CONTEXT_BYTES:
        yield (
            f"the Docker build context has {len(files)} files of {total / 1e6:.1f} MB, and Azure "
            f"ML's limit is {CONTEXT_FILES} files of {CONTEXT_BYTES / 1e6:.0f} MB. "
            "Move what the Dockerfile does not copy out of its folder."
        )

"""Refuse links that lead out of the repository, and warn of a large snapshot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError

SIZE_WARNING_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True)
class OutgoingFile:
    """A file that is about to be sent: its name in the repository, and where its bytes are.

    `size` is in bytes, `sha256` in hex.
    """

    path: str
    content: Path
    size: int
    sha256: str


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


def size_warning(files: Sequence[OutgoingFile]) -> str | None:
    """Return a warning that names the largest files of a large snapshot, else None."""
    total = sum(file.size for file in files)
    if total <= SIZE_WARNING_BYTES:
        return None
    largest = sorted(files, key=lambda file: -file.size)[:3]
    named = ", ".join(f"{file.path} ({file.size / 1e6:.0f} MB)" for file in largest)
    return (
        f"the snapshot is {total / 1e6:.0f} MB. The largest files: {named}. "
        "Data is better passed as an input of the job."
    )

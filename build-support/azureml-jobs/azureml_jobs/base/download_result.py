"""The result of downloading a job's outputs, and the folder that they may go to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import ENDED

# azure-ai-ml's name for the output that holds logs and artifacts.
DEFAULT_OUTPUT = "default"


@dataclass(frozen=True)
class DownloadResult:
    """`status` is the job's at the start; `left_out` are files that changed during the download."""

    files: int
    status: str
    left_out: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        return self.status in ENDED


def check_empty_folder(destination: Path) -> None:
    """Raise `JobError` unless the folder to download to is empty or does not exist yet."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise JobError(
            str(destination.absolute()),
            "the folder to download to is not empty",
            "Name a new folder.",
        )

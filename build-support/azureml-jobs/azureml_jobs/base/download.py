"""What a download of a job's outputs reports, and the folder that it may go to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import ENDED

# azure-ai-ml's name for the output that holds logs and artifacts.
DEFAULT_OUTPUT = "default"


@dataclass(frozen=True)
class DownloadResult:
    """`status` is the job's when it began; `left_out` names files that changed while it went on."""

    files: int
    status: str
    left_out: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        return self.status in ENDED


def check_empty_folder(destination: Path) -> None:
    """Raise `JobError` for a place to download to that holds something already."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise JobError(
            str(destination.absolute()),
            "the folder to download to is not empty",
            "Name a new folder.",
        )

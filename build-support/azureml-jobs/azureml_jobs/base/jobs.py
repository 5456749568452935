"""What every room knows of jobs: valid names, the rows of a list, the result of a download."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError

Row = Mapping[str, Any]


def job_name_stem(text: str) -> str:
    """Return `text` with each part that is not valid in a job's name replaced by `-`."""
    stem = re.sub(r"[^a-zA-Z0-9_-]+", "-", text).strip("-_")
    return stem or "job"


@dataclass(frozen=True)
class JobSelection:
    """`status` and `experiment` are exact names, None for all; the newest `count` are wanted."""

    status: str | None = None
    experiment: str | None = None
    count: int | None = None
    archived: bool = False

    def takes(self, row: Row) -> bool:
        return self.status in (None, row["status"]) and (
            self.experiment in (None, row["experiment_name"])
        )


def labelled(rows: Iterable[Row], prefix: str = "") -> Iterator[tuple[str, Row]]:
    """Yield every row with those below it, by its label, such as `train` or `tune/3`."""
    for row in rows:
        label = prefix + row["step"]
        yield label, row
        yield from labelled(row["children"] or (), f"{label}/")


# azure-ai-ml's name for the output that holds logs and artifacts.
DEFAULT_OUTPUT = "default"


@dataclass(frozen=True)
class DownloadResult:
    """`status` is the job's at the start; `left_out` are files that changed during the download."""

    files: int
    status: str
    left_out: tuple[str, ...] = ()


def check_empty_folder(destination: Path) -> None:
    """Raise `JobError` unless the folder to download to is empty or does not exist yet."""
    where, remedy = str(destination.absolute()), "Name a new folder."
    try:
        if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
            raise JobError(where, "the folder to download to is not empty", remedy)
    except OSError as error:
        what = f"the folder to download to cannot be used: {error.strerror}"
        raise JobError(where, what, remedy) from error

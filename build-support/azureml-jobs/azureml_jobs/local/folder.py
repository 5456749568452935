"""The paths in the folder of one local job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.local.record import JobRecord


class JobFolder:
    """The folder `.azureml/jobs/<name>`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def root(self) -> Path:
        """The local workspace, `.azureml`."""
        return self.path.parent.parent

    @property
    def record_file(self) -> Path:
        return self.path / "job.json"

    @property
    def run_plan(self) -> Path:
        """The plan of a job that starts others, next to its record."""
        return self.path / "run.json"

    @property
    def sweep(self) -> Path:
        """What each trial of a sweep gets."""
        return self.path / "sweep.json"

    @property
    def bundle(self) -> Path:
        """The bundle of the job; nothing changes it after the job was created."""
        return self.path / "bundle"

    @property
    def work(self) -> Path:
        """The copy of the bundle's code in which the command runs."""
        return self.path / "work"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs"

    @property
    def debugger(self) -> Path:
        """The debugger's files for a job that is debugged."""
        return self.path / "debugger"

    @property
    def log(self) -> Path:
        """Standard output and error in the order of their arrival, under Azure ML's name."""
        return self.path / "user_logs" / "std_log.txt"

    def process_log(self, rank: int, count: int) -> Path:
        """Return the log of one of `count` processes."""
        if count == 1:
            return self.log
        digits = len(str(count - 1))
        return self.log.with_name(f"std_log_process_{rank:0{digits}}.txt")

    @property
    def mlruns(self) -> Path:
        return self.root / "mlruns"

    def read(self) -> JobRecord:
        return JobRecord.read(self.record_file)

    def save(self, record: JobRecord) -> None:
        record.write(self.record_file)


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below `folder` in order, with their path relative to it."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            yield path.relative_to(folder).as_posix(), path


def shared_folders(root: Path) -> tuple[Path, Path]:
    """Return what all containers share: MLflow's runs, and a home for the caches of packages."""
    return root / "mlruns", root / "home"


def make_shared_folders(root: Path) -> None:
    """Create the shared folders, because Docker mounts only what exists."""
    for folder in shared_folders(root):
        folder.mkdir(parents=True, exist_ok=True)

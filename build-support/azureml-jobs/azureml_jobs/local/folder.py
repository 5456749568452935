"""The paths in the folder of one local job."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.names import MANIFEST_FILE
from azureml_jobs.local.record import JobRecord


class JobFolder:
    """The folder `.azureml/jobs/<name>`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        # The local workspace, `.azureml`.
        self.root = path.parent.parent
        self.mlruns = self.root / "mlruns"
        self.record_file = path / "job.json"
        # The plan of a job that starts others, and what each trial of a sweep gets.
        self.run_plan = path / "run.json"
        self.sweep = path / "sweep.json"
        # Nothing changes it after the job was created.
        self.bundle = path / "bundle"
        # The copy of the bundle's code in which the command runs.
        self.work = path / "work"
        self.outputs = path / "outputs"
        # The debugger's files for a job that is debugged.
        self.debugger = path / "debugger"
        # Standard output and error in the order of their arrival, under Azure ML's name.
        self.log = path / "user_logs" / "std_log.txt"

    def process_log(self, rank: int, count: int) -> Path:
        """Return the log of one of `count` processes."""
        if count == 1:
            return self.log
        digits = len(str(count - 1))
        return self.log.with_name(f"std_log_process_{rank:0{digits}}.txt")

    def sibling(self, name: str) -> JobFolder:
        return JobFolder(self.path.with_name(name))

    def top(self, record: JobRecord) -> JobFolder:
        """Return the job that the user started, which may be this one."""
        return self.sibling(record.root or record.name)

    def manifest(self, record: JobRecord) -> dict[str, Any]:
        """Return the manifest of the job, that of a step or a trial is its root's; {} for none."""
        try:
            text = (self.top(record).bundle / MANIFEST_FILE).read_bytes()
            manifest: dict[str, Any] = json.loads(text)
        except (OSError, ValueError):
            return {}
        return manifest

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

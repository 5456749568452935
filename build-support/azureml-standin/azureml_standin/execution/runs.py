"""What is known of each run: how it goes, what it logged, and whose child it is."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status as status
from azureml_jobs.base.job_status import now
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder, files_below
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record
from azureml_standin.control_plane.resources import ARTIFACT_CONTAINER
from azureml_standin.state import BlobRecord, State, file_md5

# Statuses of Azure ML that the local workspace has no need of.
QUEUED = "Queued"
FINALIZING = "Finalizing"
# A pipeline or a sweep has a folder with its own log alone, whose name azure-ai-ml looks for
# (`constants/_job/job.py`).
LOGS_OF_PARENT = "parent"
_PARENT_LOGS = {
    "Pipeline": "logs/azureml/executionlogs.txt",
    "Sweep": "azureml-logs/hyperdrive.txt",
}
_JOB = re.compile(r"(ExperimentRun/dcid\.|azureml/)([a-zA-Z0-9_-]+)(/.*)?", re.DOTALL)
_VIEW_KEYS = ("started", "ended", "error", "exit_code")


@dataclass(frozen=True)
class RunView:
    """What run history knows of a job. Times are ISO 8601 in UTC."""

    status: str
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    exit_code: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in status.ENDED


class Runs:
    """`report` is called with a line for each change of a status."""

    def __init__(self, state: State, folder: Path) -> None:
        self.report: Callable[[str], object] = lambda line: None
        self._state = state
        self._jobs_folder = folder / "jobs"
        self._jobs_folder.mkdir(parents=True, exist_ok=True)

    def folder(self, name: str) -> JobFolder:
        return JobFolder(self._jobs_folder / name)

    def record(self, name: str) -> JobRecord | None:
        """Return the local record of a job; None before its folder was made."""
        try:
            return current_record(self.folder(name))
        except (OSError, ValueError):
            return None

    def view(self, name: str) -> RunView:
        run = self._state.document("runs", name) or {"status": QUEUED}
        if run["status"] in status.ENDED:
            return RunView(run["status"], *(run.get(key) for key in _VIEW_KEYS))
        record = self.record(name)
        if record is None or (record.status == status.NOT_STARTED and not record.has_ended):
            return RunView(run["status"], run.get("started"))
        if record.has_ended:
            # Its worker has not seen it yet.
            return RunView(FINALIZING, record.started)
        return view_of(record)

    def children(self, name: str) -> list[dict[str, Any]]:
        """Return the children of a job in the order in which they began."""
        return [each for each in self._state.documents("children") if each["parent"] == name]

    def keep(self, name: str, **facts: Any) -> None:
        """Keep what is known of a run, or what a parent learned: `outputs`, `properties`."""
        with self._state.lock:
            run = self._state.document("runs", name) or {"name": name}
            self._state.put_document("runs", name, {**run, **facts})

    def kept(self, name: str, key: str) -> dict[str, Any]:
        found: dict[str, Any] = (self._state.document("runs", name) or {}).get(key) or {}
        return found

    def log(self, parent: str, line: str) -> None:
        """Add a line to the log of a pipeline or a sweep."""
        name = _PARENT_LOGS[self.kept(parent, "job")["jobType"]]
        log = self.folder(parent).path / LOGS_OF_PARENT / name
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"[{now()}] {line}\n")

    def blobs(self, container: str, prefix: str) -> Iterator[BlobRecord]:
        """Yield files of a job as blobs, where Azure ML keeps them, as they grow.

        Their names begin with `prefix`, all of which is of one job.
        """
        match = _JOB.fullmatch(prefix)
        is_artifact = container == ARTIFACT_CONTAINER
        if match is None or match[1].startswith("Exp") is not is_artifact:
            return
        folder, base = self.folder(match[2]), f"{match[1]}{match[2]}"
        is_final = self.view(match[2]).has_ended
        files = list(files_below(folder.path / LOGS_OF_PARENT if is_artifact else folder.outputs))
        for path, file in files + (artifacts(folder) if is_artifact else []):
            name = f"{base}/{path}"
            if name.startswith(prefix) and file.is_file():
                with contextlib.suppress(FileNotFoundError):
                    yield _live_blob(container, name, file, is_final)

    def end(self, name: str, ended: str, error: str | None = None) -> None:
        started = (self._state.document("runs", name) or {}).get("started")
        self.save(name, RunView(ended, started, now(), error))

    def save(self, name: str, view: RunView) -> None:
        self.keep(name, **asdict(view))
        reason = (view.error or "").partition("\n")[0]
        self.report(f"{name} {view.status}" + (f": {reason}" if reason else ""))

    def unfinished(self) -> list[str]:
        runs = self._state.documents("runs")
        return [each["name"] for each in runs if each["status"] not in status.ENDED]


def view_of(record: JobRecord) -> RunView:
    return RunView(record.status, *(getattr(record, key) for key in _VIEW_KEYS))


def _live_blob(container: str, name: str, file: Path, is_final: bool) -> BlobRecord:
    """Return a file of a job as a blob. Only a final one has its MD5.

    Logs are appended to while the job runs, as Azure ML writes them; other files are replaced.
    """
    state = file.stat()
    md5 = _known_md5(file, state.st_size, state.st_mtime_ns) if is_final else ""
    return BlobRecord(
        container,
        name,
        state.st_size,
        md5,
        file,
        kind="AppendBlob" if "/user_logs/" in name and not is_final else "BlockBlob",
        etag=f'"0x{state.st_mtime_ns:X}{state.st_size:X}"',
        modified=state.st_mtime,
    )


@functools.cache
def _known_md5(file: Path, size: int, changed: int) -> str:
    return file_md5(file)

"""Run the jobs that were submitted, each in a job folder of the local workspace."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.base.job_status import now
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import is_running
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record
from azureml_standin.execution.job_blobs import JobBlobs
from azureml_standin.execution.job_folder import JobFolderBuilder
from azureml_standin.execution.packages import Packages
from azureml_standin.state import State
from azureml_standin.storage.blobs import BlobStorage

# Statuses of Azure ML that the local workspace has no need of.
QUEUED = "Queued"
FINALIZING = "Finalizing"
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


class Execution:
    """A queue of jobs, of which `at_once` run at a time.

    With 0 every job stays `Queued` until it is cancelled. `report` is called with a line for each
    change of a status; `failed` with the error in flight where the service itself is at fault.
    """

    def __init__(
        self,
        state: State,
        blobs: BlobStorage,
        builder: JobFolderBuilder,
        packages: Packages,
        folder: Path,
        at_once: int,
        failed: Callable[[], object],
    ) -> None:
        self.report: Callable[[str], object] = lambda line: None
        self._failed = failed
        self._state = state
        self._builder = builder
        self._packages = packages
        self._jobs_folder = folder / "jobs"
        self._jobs_folder.mkdir(parents=True, exist_ok=True)
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._lock = threading.Lock()
        self._cancelled: set[str] = set()
        self._cancellers: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._workers = [
            threading.Thread(target=self._work, name=f"service-job-{number}", daemon=True)
            for number in range(at_once)
        ]
        blobs.live.append(JobBlobs(self))
        for name in self._unfinished():
            # A service that was killed has left it running.
            with contextlib.suppress(JobError, OSError, ValueError):
                cancel(self.folder(name), grace=2.0)
            self._end(name, status.FAILED, "the service ended before the job did")

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Cancel what runs, and wait for it."""
        self._stopping.set()
        for _ in self._workers:
            self._queue.put(None)
        for name in self._unfinished():
            self.cancel(name, grace=2.0)
        self._packages.stop()
        for thread in (*self._workers, *self._cancellers):
            if thread.ident is not None:
                thread.join(60.0)

    def enqueue(self, name: str, properties: Mapping[str, Any]) -> None:
        """Add a job to the queue. `properties` are those of the control plane."""
        content = {"name": name, "status": QUEUED, "properties": dict(properties)}
        self._state.put_document("runs", name, content)
        self._queue.put(name)

    def folder(self, name: str) -> JobFolder:
        return JobFolder(self._jobs_folder / name)

    def record(self, name: str) -> JobRecord | None:
        """Return the local record of a job; None before its folder was made."""
        folder = self.folder(name)
        try:
            return current_record(folder)
        except (OSError, ValueError):
            return None

    def view(self, name: str) -> RunView:
        run = self._state.document("runs", name)
        if run is None:
            return RunView(QUEUED)
        if run["status"] in status.ENDED:
            return RunView(run["status"], *(run.get(key) for key in _VIEW_KEYS))
        record = self.record(name)
        if record is None or (record.status == status.NOT_STARTED and not record.has_ended):
            return RunView(run["status"])
        if record.has_ended:
            # Its worker has not seen it yet.
            return RunView(FINALIZING, record.started)
        return _view(record)

    def cancel(self, name: str, grace: float = 30.0) -> None:
        """Begin to cancel a job, and return at once."""
        with self._lock:
            self._cancelled.add(name)
            run = self._state.document("runs", name)
            if run is None or run["status"] in status.ENDED:
                return
            if run["status"] == QUEUED:
                self._end(name, status.CANCELED, "canceled before it began")
                return
            canceller = threading.Thread(
                target=self._cancel_running, args=(name, grace), daemon=True
            )
            self._cancellers.append(canceller)
        canceller.start()

    def _cancel_running(self, name: str, grace: float) -> None:
        folder = self.folder(name)
        while not self.view(name).has_ended:
            record = self.record(name)
            # Before its runner has recorded itself there is no process to signal.
            if record and record.pid is not None and is_running(record.pid, record.pid_identity):
                # It may have ended by itself meanwhile, which is an error of `cancel`.
                with contextlib.suppress(JobError):
                    cancel(folder, grace)
            time.sleep(0.05)

    def _work(self) -> None:
        while (name := self._queue.get()) is not None:
            if self._stopping.is_set():
                return
            with self._lock:
                run = self._state.document("runs", name)
                if run is None or run["status"] != QUEUED:
                    continue
                self._state.put_document("runs", name, {**run, "status": status.PREPARING})
            try:
                self._run(name, run["properties"])
            except JobError as error:
                if name in self._cancelled:
                    self._end(name, status.CANCELED, "canceled before it began")
                else:
                    self._end(name, status.FAILED, str(error))
            except Exception as error:
                # If the worker ended, later jobs would stay in the queue for ever.
                self._failed()
                self._end(name, status.FAILED, f"the stand-in failed: {error!r}")

    def _run(self, name: str, properties: Mapping[str, Any]) -> None:
        folder = self.folder(name)
        self.report(f"{name} {status.PREPARING}")
        self._builder.check(name, properties)
        runtime, python = self._packages.of(name, properties)
        self._builder.build(name, properties, folder, python, runtime)
        if name in self._cancelled:
            self._end(name, status.CANCELED, "canceled before it began")
            return
        environment = {
            **os.environ,
            # The job's own environment is made by the runner, which takes nothing of this.
            "PYTHONPATH": os.pathsep.join(os.path.abspath(each) for each in sys.path if each),
        }
        self.report(f"{name} {status.RUNNING}")
        runner = subprocess.Popen(
            [sys.executable, str(RUN_SCRIPT), "execute", str(folder.path)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        runner.wait()
        self._save(name, _view(current_record(folder)))

    def _end(self, name: str, ended: str, error: str) -> None:
        self._save(name, RunView(ended, None, now(), error))

    def _save(self, name: str, view: RunView) -> None:
        run = self._state.document("runs", name) or {"name": name, "properties": {}}
        self._state.put_document("runs", name, {**run, **asdict(view)})
        reason = (view.error or "").partition("\n")[0]
        self.report(f"{name} {view.status}" + (f": {reason}" if reason else ""))

    def _unfinished(self) -> list[str]:
        return [
            each["name"]
            for each in self._state.documents("runs")
            if each["status"] not in status.ENDED
        ]


def _view(record: JobRecord) -> RunView:
    return RunView(record.status, *(getattr(record, key) for key in _VIEW_KEYS))

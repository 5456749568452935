"""Run the jobs that the service took, each in a job folder of the local workspace."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.base.job_status import now
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import is_running
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record
from azureml_standin.control_plane.workspace import ARTIFACT_CONTAINER, BLOB_CONTAINER
from azureml_standin.execution.environments import Environments
from azureml_standin.execution.images import Images
from azureml_standin.execution.job_folder import JobFolderBuilder
from azureml_standin.state import BlobRecord, State
from azureml_standin.storage.blobs import BlobStorage
from azureml_standin.storage.live_files import live_blob

# Of Azure ML, which the local workspace has no need of.
QUEUED = "Queued"
FINALIZING = "Finalizing"
_VIEW_KEYS = ("started", "ended", "error", "exit_code")


@dataclass(frozen=True)
class RunView:
    """What run history tells of a job. Times are ISO 8601 in UTC."""

    status: str
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    exit_code: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in status.ENDED


class Execution:
    """Jobs wait in line for one of `at_once` places.

    With no place at all every job stays `Queued`, until it is cancelled. `tell` is called with a
    line for each end; `failed` with the error where the service itself is at fault.
    """

    def __init__(
        self,
        state: State,
        blobs: BlobStorage,
        assembly: JobFolderBuilder,
        environments: Environments,
        images: Images,
        folder: Path,
        at_once: int,
    ) -> None:
        self.tell: Callable[[str], object] = lambda line: None
        self.failed: Callable[[], object] = lambda: None
        self._state = state
        self._assembly = assembly
        self._environments = environments
        self._images = images
        self._jobs_folder = folder / "jobs"
        self._jobs_folder.mkdir(parents=True, exist_ok=True)
        self._line: queue.Queue[str | None] = queue.Queue()
        self._lock = threading.Lock()
        self._cancelled: set[str] = set()
        self._cancellers: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._workers = [
            threading.Thread(target=self._work, name=f"service-job-{number}", daemon=True)
            for number in range(at_once)
        ]
        blobs.live.append(_Artifacts(self))
        for name in self._unfinished():
            # What a service that was killed has left running.
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
            self._line.put(None)
        for name in self._unfinished():
            self.cancel(name, grace=2.0)
        self._environments.stop()
        self._images.stop()
        for thread in (*self._workers, *self._cancellers):
            if thread.ident is not None:
                thread.join(60.0)

    def take(self, name: str, properties: Mapping[str, Any]) -> None:
        """Put a job in line. `properties` are those of the control plane."""
        content = {"name": name, "status": QUEUED, "properties": dict(properties)}
        self._state.put_document("runs", name, content)
        self._line.put(name)

    def folder(self, name: str) -> JobFolder:
        return JobFolder(self._jobs_folder / name)

    def record(self, name: str) -> JobRecord | None:
        """The local record of a job; None before it was assembled."""
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
            # Its worker has not yet seen it.
            return RunView(FINALIZING, record.started)
        return _view(record)

    def cancel(self, name: str, grace: float = 30.0) -> None:
        """Ask for the end of a job, and return at once."""
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

    def forget(self, name: str) -> None:
        self._state.remove_document("runs", name)
        shutil.rmtree(self.folder(name).path, ignore_errors=True)

    def _cancel_running(self, name: str, grace: float) -> None:
        folder = self.folder(name)
        while not self.view(name).has_ended:
            record = self.record(name)
            # Between assembling a job and its runner's first word there is nobody to signal.
            if record and record.pid is not None and is_running(record.pid, record.pid_identity):
                # It may end by itself at this moment, and then says so.
                with contextlib.suppress(JobError):
                    cancel(folder, grace)
            time.sleep(0.05)

    def _work(self) -> None:
        while (name := self._line.get()) is not None:
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
                # A worker that ends would leave all later jobs in line for ever.
                self.failed()
                self._end(name, status.FAILED, f"the stand-in failed: {error!r}")

    def _run(self, name: str, properties: Mapping[str, Any]) -> None:
        folder = self.folder(name)
        self.tell(f"{name} {status.PREPARING}")
        self._assembly.check(name, properties)
        runtime = self._images.runtime(name, self._environments.image(properties))
        python = "" if runtime.image else self._environments.prefix(properties)
        self._assembly.assemble(name, properties, folder, python, runtime)
        if name in self._cancelled:
            self._end(name, status.CANCELED, "canceled before it began")
            return
        environment = {
            **os.environ,
            # The job's own environment is made by the runner, which takes nothing of this.
            "PYTHONPATH": os.pathsep.join(os.path.abspath(each) for each in sys.path if each),
        }
        self.tell(f"{name} {status.RUNNING}")
        runner = subprocess.Popen(
            [sys.executable, str(RUN_SCRIPT), "execute", str(folder.path)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        runner.wait()
        self._keep(name, _view(current_record(folder)))

    def _end(self, name: str, ended: str, error: str) -> None:
        self._keep(name, RunView(ended, None, now(), error))

    def _keep(self, name: str, view: RunView) -> None:
        run = self._state.document("runs", name) or {"name": name, "properties": {}}
        self._state.put_document("runs", name, {**run, **asdict(view)})
        reason = (view.error or "").partition("\n")[0]
        self.tell(f"{name} {view.status}" + (f": {reason}" if reason else ""))

    def _unfinished(self) -> list[str]:
        return [
            each["name"]
            for each in self._state.documents("runs")
            if each["status"] not in status.ENDED
        ]


def _view(record: JobRecord) -> RunView:
    return RunView(record.status, *(getattr(record, key) for key in _VIEW_KEYS))


class _Artifacts:
    """Logs, artifacts and outputs of jobs as blobs, where Azure ML keeps them."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def blob(self, container: str, name: str) -> BlobRecord | None:
        job = _job_of(container, name)
        if job is None:
            return None
        found = [each for each in self._of(job, container) if each.name == name]
        return found[0] if found else None

    def blobs(self, container: str, prefix: str) -> Iterable[BlobRecord]:
        job = _job_of(container, prefix)
        if job is None:
            return []
        return [each for each in self._of(job, container) if each.name.startswith(prefix)]

    def _of(self, job: str, container: str) -> Iterable[BlobRecord]:
        record = self._execution.record(job)
        if record is None:
            return
        folder = self._execution.folder(job)
        is_final = self._execution.view(job).has_ended
        if container == ARTIFACT_CONTAINER:
            files = [(f"ExperimentRun/dcid.{job}/{n}", path) for n, path in artifacts(folder)]
        else:
            files = [
                (f"azureml/{job}/{path.relative_to(folder.outputs).as_posix()}", path)
                for path in sorted(folder.outputs.rglob("*"))
            ]
        for name, path in files:
            if path.is_file():
                blob = live_blob(container, name, path, is_final)
                if blob is not None:
                    yield blob


def _job_of(container: str, name: str) -> str | None:
    patterns = {
        ARTIFACT_CONTAINER: r"ExperimentRun/dcid\.([a-zA-Z0-9_-]+)(?:/.*)?",
        BLOB_CONTAINER: r"azureml/([a-zA-Z0-9_-]+)(?:/.*)?",
    }
    match = re.fullmatch(patterns.get(container, "(?!)"), name, re.DOTALL)
    return match[1] if match else None

"""Run a job and keep its record: `run.py execute <job folder>`."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS, Container
from azureml_jobs.local.environment import job_environment
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mounts import make_shared_folders
from azureml_jobs.local.output import (
    Log,
    last_lines,
    open_standard_descriptors,
    write_message,
)
from azureml_jobs.local.process import current_host, identity_of, signal_group
from azureml_jobs.local.process_spec import ProcessSpec, process_spec
from azureml_jobs.local.python_path import with_python_path
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_report import TAIL_LINES, end_reason, print_end
from azureml_jobs.local.supervise import GRACE_SECONDS, Ended, Supervision


def execute_job(path: Path, grace: float = GRACE_SECONDS) -> int:
    """Run the job in the folder `path` and return its own exit status.

    128 + n when a signal n asked for its end, 124 when `limits.timeout` did. `grace` is how many
    seconds a job that is asked to end may clean up. Raises `JobError` when it has run already.
    """
    open_standard_descriptors()
    folder = JobFolder(path.absolute())
    record = folder.read()
    if record.status != status.NOT_STARTED:
        raise JobError(
            record.name,
            f"the job cannot be started, its status is {record.status}",
            "Start a new one by the command that created it.",
        )
    return _Run(folder, record, grace).run()


class _Run:
    def __init__(self, folder: JobFolder, record: JobRecord, grace: float) -> None:
        self._folder = folder
        self._record = record
        self._grace = grace
        self._started = time.monotonic()
        self._disk_failed = False

    def run(self) -> int:
        record = self._record
        with Interruptions() as interruptions:
            record.status, record.started = status.PREPARING, status.now()
            record.pid, record.pid_identity = os.getpid(), identity_of(os.getpid())
            record.host = current_host()
            self._save()
            try:
                ended = self._run_job(interruptions)
            except JobError as error:
                self._record_end(status.FAILED, str(error))
                raise
            except OSError as error:
                self._record_end(status.FAILED, str(error))
                raise OutsideError(record.name, f"the job could not be run: {error}") from error
            record.exit_code = ended.exit_status
            self._record_end(*end_reason(ended, record.timeout))
            print_end(self._folder, record, with_log=ended.signalled is None)
        return ended.exit_status

    def _run_job(self, interruptions: Interruptions) -> Ended:
        record = self._record
        self._make_folders()
        experiment_id = self._create_mlflow_run()
        with contextlib.closing(Log(self._folder.log)) as log:
            record.timings["preparing"] = self._seconds()
            ended = self._run_command(interruptions, log, experiment_id)
            if log.error:
                record.warnings.append(f"a part of the log was not kept: {log.error}")
        return ended

    def _make_folders(self) -> None:
        folder = self._folder
        if self._record.code and not folder.work.exists():
            shutil.copytree(folder.path / self._record.code, folder.work, symlinks=True)
        # Azure ML makes these two in the folder that a command starts in, and keeps what is
        # written there.
        for name in ("outputs", "logs"):
            (folder.work / name).mkdir(parents=True, exist_ok=True)
        for name in self._record.outputs:
            (folder.outputs / name).mkdir(parents=True, exist_ok=True)
        if self._record.container:
            make_shared_folders(folder.root)

    def _create_mlflow_run(self) -> str:
        """Create the MLflow run that the command resumes; return its experiment's id."""
        from azureml_jobs.local.mlflow_store import MlflowStore

        record = self._record
        store = MlflowStore(self._folder.mlruns)
        experiment_id = store.ensure_experiment(record.experiment_name)
        store.create_run(
            experiment_id,
            record.name,
            record.display_name or record.name,
            {**record.tags, "mlflow.source.name": record.address or record.name},
            record.started or record.created,
        )
        return experiment_id

    def _run_command(self, interruptions: Interruptions, log: Log, experiment_id: str) -> Ended:
        record = self._record
        early = interruptions.take()
        if early:
            return Ended(128 + early[0], signalled=early[0])
        spec = self._process_spec(experiment_id)
        started = time.monotonic()
        process, copies = spec.start_logged(log)
        record.status, record.pgid = status.RUNNING, process.pid
        record.pgid_identity = identity_of(process.pid)
        self._save()

        def on_stop() -> None:
            record.status = status.CANCEL_REQUESTED
            self._save()

        ended = Supervision(
            process,
            interruptions,
            send_signal=lambda signum: signal_group(process.pid, signum),
            kill=lambda: spec.kill(process.pid),
            copies=copies,
            grace=self._grace,
            timeout=record.timeout,
            on_stop=on_stop,
        ).wait()
        record.timings["running"] = round(time.monotonic() - started, 3)
        if spec.container is not None:
            _check_started(record.name, ended, self._folder.log)
        return ended

    def _process_spec(self, experiment_id: str) -> ProcessSpec:
        folder, record = self._folder, self._record
        environment = job_environment(record, folder.mlruns, experiment_id, dict(os.environ))
        container = Container.of_data(record.container) if record.container else None
        command = ["bash", "-c", record.command]
        if record.debugger:
            command = with_python_path(command, record.debugger)
        return process_spec(command, environment, container, folder.path, folder.work)

    def _record_end(self, end_status: str, error: str | None) -> None:
        from azureml_jobs.local.mlflow_store import MlflowStore

        record = self._record
        record.status, record.error, record.ended = end_status, error, status.now()
        record.timings["total"] = self._seconds()
        self._save()
        try:
            MlflowStore(self._folder.mlruns).finish_run(record.name, end_status, record.ended)
        except OSError as failure:
            write_message(2, f"{record.name}: the MLflow run could not be ended: {failure}.\n")

    def _save(self) -> None:
        """Write the record. A job goes on when the disk is full; we warn of that once."""
        try:
            self._folder.save(self._record)
        except OSError as error:
            if not self._disk_failed:
                self._disk_failed = True
                name = self._record.name
                write_message(2, f"{name}: the job's record could not be written: {error}.\n")

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)


def _check_started(name: str, ended: Ended, log: Path) -> None:
    """Raise `OutsideError` when Docker could not start the job's container."""
    lines = last_lines(log, TAIL_LINES).splitlines()
    messages = [line for line in lines if line.startswith("docker: ")]
    if ended.status == DOCKER_FAILED_STATUS and messages:
        raise OutsideError(
            name,
            f"its container could not be started: {messages[0][len('docker: '):].rstrip('.')}",
            "Check the arguments of `docker run` that were given, and the engine.",
        )

"""What all kinds of jobs have in common while they run: their record, log and MLflow run."""

from __future__ import annotations

import abc
import contextlib
import os
import time

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.local.fingerprint import outputs_fingerprint
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.output import Log, write_message
from azureml_jobs.local.process import current_host, identity_of
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_report import end_reason, print_end
from azureml_jobs.local.supervise import Ended


class OwnedJob:
    """A job that this process runs, and whose record it owns until the job has ended."""

    def __init__(self, folder: JobFolder, record: JobRecord) -> None:
        self.folder = folder
        self.record = record
        self._started = time.monotonic()
        self._disk_failed = False

    def begin(self) -> None:
        """Record that this process runs the job."""
        record = self.record
        record.status, record.started = status.PREPARING, status.now()
        record.pid, record.pid_identity = os.getpid(), identity_of(os.getpid())
        record.host = current_host()
        self.save()

    def begin_running(self) -> None:
        """Record that all is prepared: the job's own time counts from here, as in Azure ML."""
        self.record.status, self.record.started = status.RUNNING, status.now()
        self.save()

    def save(self) -> None:
        """Write the record. A job goes on when the disk is full; we warn of that once."""
        try:
            self.folder.save(self.record)
        except OSError as error:
            if not self._disk_failed:
                self._disk_failed = True
                name = self.record.name
                write_message(2, f"{name}: the job's record could not be written: {error}.\n")

    def seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def create_mlflow_run(self) -> str:
        """Create the MLflow run that the command resumes; return its experiment's id."""
        from azureml_jobs.local.mlflow_run import start_run

        return start_run(self.folder, self.record)

    def record_end(self, end_status: str, error: str | None) -> None:
        """Record the end of the job and of its MLflow run."""
        from azureml_jobs.local.mlflow_run import end_run

        record = self.record
        record.status, record.error, record.ended = end_status, error, status.now()
        record.timings["total"] = self.seconds()
        if end_status == status.COMPLETED and record.named_outputs:
            # Imported late: few jobs need it, and each step of a pipeline is a process.
            from azureml_jobs.local.register_outputs import register_outputs

            register_outputs(self.folder, record)
        if record.reuse_key and end_status == status.COMPLETED:
            record.outputs_fingerprint = outputs_fingerprint(record)
        self.save()
        try:
            end_run(self.folder, record)
        except OSError as failure:
            write_message(2, f"{record.name}: the MLflow run could not be ended: {failure}.\n")


class JobRun(OwnedJob, abc.ABC):
    """The one run of a job; `grace` is how many seconds it may clean up when it has to end."""

    _disk_is_full = False

    def __init__(self, folder: JobFolder, record: JobRecord, grace: float) -> None:
        super().__init__(folder, record)
        self.grace = grace

    def run(self) -> int:
        """Run the job, record its end, and return its exit status."""
        record = self.record
        with Interruptions() as interruptions:
            self.begin()
            try:
                ended = self._run_logged(interruptions)
            except JobError as error:
                self.record_end(status.FAILED, str(error))
                raise
            except OSError as error:
                self.record_end(status.FAILED, str(error))
                raise OutsideError(record.name, f"the job could not be run: {error}") from error
            record.exit_code = ended.exit_status
            end_status, reason = self.end_reason(ended)
            if end_status == status.COMPLETED and self._disk_is_full:
                record.exit_code, end_status = OutsideError.status, status.FAILED
                reason = "the disk is full, so that a part of its log was not kept"
            self.record_end(end_status, reason)
            print_end(self.folder, record)
        return record.exit_code

    @abc.abstractmethod
    def make_folders(self) -> None:
        """Make the folders that the job needs."""

    @abc.abstractmethod
    def run_job(self, interruptions: Interruptions, log: Log, experiment_id: str) -> Ended:
        """Run the job until it has ended, and nothing of it is left."""

    def end_reason(self, ended: Ended) -> tuple[str, str | None]:
        """Return the status of the job and, unless it completed, its error."""
        return end_reason(ended, self.record)

    def _run_logged(self, interruptions: Interruptions) -> Ended:
        record = self.record
        self.make_folders()
        experiment_id = self.create_mlflow_run()
        with contextlib.closing(Log(self.folder.log)) as log:
            record.timings["preparing"] = self.seconds()
            early = interruptions.take()
            if early:
                return Ended(128 + early[0], signalled=early[0])
            ended = self.run_job(interruptions, log, experiment_id)
            if log.error:
                record.warnings.append(f"a part of the log was not kept: {log.error}")
                self._disk_is_full = log.is_disk_full
        return ended

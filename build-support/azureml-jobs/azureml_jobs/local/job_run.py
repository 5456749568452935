"""What all kinds of jobs have in common while they run: their record, log and MLflow run."""

from __future__ import annotations

import abc
import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable, Sequence

from azureml_jobs.base import job_status as status
from azureml_jobs.base.console import short_path
from azureml_jobs.base.errors import DISK_FULL, JobError, OutsideError
from azureml_jobs.local.child import Child
from azureml_jobs.local.distribution import process_count
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mlflow_run import end_run, start_run
from azureml_jobs.local.output import Log, last_lines, write_message
from azureml_jobs.local.process import current_host, identity_of
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.supervise import SAME_KEY_PRESS_SECONDS, Ended
from azureml_jobs.local.usage import usage_text

TAIL_LINES = 20
_MOST_OUTPUTS = 3


class OwnedJob:
    """A job that this process runs, and whose record it owns until the job has ended."""

    def __init__(self, folder: JobFolder, record: JobRecord) -> None:
        self.folder = folder
        self.record = record
        self._started = time.monotonic()
        self._disk_failed = False

    def begin(self) -> str:
        """Record that this process runs the job; create its MLflow run, return its experiment."""
        record = self.record
        record.status, record.started = status.PREPARING, status.now()
        record.pid, record.pid_identity = os.getpid(), identity_of(os.getpid())
        record.host = current_host()
        self.save()
        return start_run(self.folder, record)

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

    def record_end(self, end_status: str, error: str | None) -> None:
        """Record the end of the job and of its MLflow run."""
        record = self.record
        record.status, record.error, record.ended = end_status, error, status.now()
        record.timings["total"] = self.seconds()
        # Imported late: few jobs need it, and each step of a pipeline is a process.
        if end_status == status.COMPLETED and record.named_outputs:
            from azureml_jobs.local.local_assets import register_outputs

            register_outputs(self.folder, record)
        if end_status == status.COMPLETED and record.reuse_key:
            from azureml_jobs.local.pipeline.reuse import outputs_fingerprint

            record.outputs_fingerprint = outputs_fingerprint(record)
        self.save()
        try:
            end_run(self.folder, record)
        except OSError as failure:
            write_message(2, f"{record.name}: the MLflow run could not be ended: {failure}.\n")


class JobRun(OwnedJob, abc.ABC):
    """The one run of a job; `grace` is how many seconds it may clean up when it has to end."""

    def __init__(self, folder: JobFolder, record: JobRecord, grace: float) -> None:
        super().__init__(folder, record)
        self.grace = grace

    def run(self) -> int:
        """Run the job, record its end, and return its exit status."""
        record = self.record
        with Interruptions() as self.interruptions:
            try:
                ended = self._run_logged()
            except JobError as error:
                self.record_end(status.FAILED, str(error))
                raise
            except OSError as error:
                self.record_end(status.FAILED, str(error))
                raise OutsideError(record.name, f"the job could not be run: {error}") from error
            record.exit_code = ended.exit_status
            self.record_end(*_end_reason(ended, record))
            _print_end(self.folder, record)
        return record.exit_code

    def make_folders(self) -> None:
        """Make the folders that the job needs."""

    @abc.abstractmethod
    def run_job(self, log: Log, experiment_id: str) -> Ended:
        """Run the job until it has ended, and nothing of it is left."""

    def _run_logged(self) -> Ended:
        record = self.record
        experiment_id = self.begin()
        self.make_folders()
        with contextlib.closing(Log(self.folder.log)) as log:
            record.timings["preparing"] = self.seconds()
            early = self.interruptions.take()
            if early:
                return Ended(128 + early[0], signalled=early[0])
            ended = self.run_job(log, experiment_id)
            if log.error:
                record.warnings.append(f"a part of the log was not kept: {log.error.strerror}")
                if log.error.errno in DISK_FULL and not ended.exit_status:
                    error = "the disk is full, so that a part of its log was not kept"
                    return Ended(OutsideError.status, error=error)
        return ended


class ParentRun(JobRun):
    """The run of a job that starts others."""

    signalled: int | None = None
    stopped_at: float | None = None

    @abc.abstractmethod
    def running(self) -> Iterable[Child]:
        """Return the jobs that run."""

    def wait(self, seconds: float | None, writing: Sequence[int] = ()) -> None:
        """Wait for a signal, the end of a child, or room in `writing`."""
        select.select([self.interruptions.fileno()], writing, [], seconds)

    def handle_signals(self) -> None:
        for signum in self.interruptions.take():
            if self.signalled is None:
                self.signalled = signum
                self.record.status = status.CANCEL_REQUESTED
                self.save()
            self.stop()

    def stop(self) -> None:
        """Ask all that runs to end; once more means at once."""
        now = time.monotonic()
        if self.stopped_at is None:
            self.stopped_at = now
        elif now - self.stopped_at < SAME_KEY_PRESS_SECONDS:
            return
        for child in self.running():
            child.cancel()


def _end_reason(ended: Ended, record: JobRecord) -> tuple[str, str | None]:
    """Return the status of a job and, unless it completed, its error."""
    if ended.signalled is not None:
        return status.CANCELED, f"canceled by {signal.Signals(ended.signalled).name}"
    if ended.timed_out:
        # Azure ML cancels a job that reaches its limit.
        return status.CANCELED, f"timed out after {record.timeout:g} s (`limits.timeout`)"
    if ended.error:
        return status.FAILED, ended.error
    if ended.status:
        count = process_count(record.distribution)
        who = "the command" if count == 1 else f"process {ended.failed} of {count}"
        names = {128 + each: f" ({each.name})" for each in signal.Signals}
        return (
            status.FAILED,
            f"{who} ended with exit status {ended.status}{names.get(ended.status, '')}",
        )
    return status.COMPLETED, None


def _print_end(folder: JobFolder, record: JobRecord) -> None:
    """Print how a job ended and where to see it, after its output."""
    # Without what is not the job's own: its copy of the code, and the end of its records.
    seconds = record.timings.get("running", record.timings["total"])
    command = f"./pants run :aml -- jobs show {record.name}"
    if record.status == status.COMPLETED:
        _print_warnings(record)
        write_message(1, _used_and_left(folder, record))
        write_message(1, f"{record.name} {record.status} in {seconds:.1f} s. See it: {command}\n")
        return
    write_message(2, f"\n{record.name} {record.status} after {seconds:.1f} s: {record.error}.\n")
    _print_warnings(record)
    write_message(2, _used_and_left(folder, record))
    write_message(2, f"Its log: {short_path(folder.log)}\nSee it: {command}\n")


def _used_and_left(folder: JobFolder, record: JobRecord) -> str:
    used = usage_text(record.usage)
    lines = [f"Used: {used}"] if used else []
    artifacts = folder.work / "outputs"
    left = [*record.outputs.values(), *([str(artifacts)] if any(artifacts.glob("*")) else [])]
    if left:
        more = f", … {len(left) - _MOST_OUTPUTS} more" if len(left) > _MOST_OUTPUTS else ""
        lines.append(f"Outputs: {', '.join(map(short_path, left[:_MOST_OUTPUTS]))}{more}")
    return "".join(f"{line}\n" for line in lines)


def print_log_end(folder: JobFolder, record: JobRecord) -> None:
    """Print the last lines of a job's log, and the warnings."""
    tail = last_lines(folder.log, TAIL_LINES)
    if tail:
        rule = f"----- end of the log of {folder.name} "
        tail += "" if tail.endswith("\n") else "\n"
        write_message(2, f"\n{rule:-<79}\n{tail}{'':-<79}\n")
    _print_warnings(record)


def _print_warnings(record: JobRecord) -> None:
    for warning in record.warnings:
        write_message(2, f"{record.name}: {warning}.\n")

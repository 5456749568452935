"""The present state of a local job, also when its runner can no longer write it."""

from __future__ import annotations

import contextlib

from azureml_jobs.base.job_status import CANCELED, FAILED, now, seconds_since
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import current_host, is_running
from azureml_jobs.local.record import JobRecord

RUNNER_KILLED = "the runner was killed"
_START_SECONDS = 60.0


def current(folder: JobFolder) -> JobRecord:
    """The record of a job; one whose runner is gone is Failed, and is recorded so."""
    record = folder.read()
    if record.has_ended:
        return record
    if record.pid is None:
        # Between staging a job and starting it there is a moment without a runner.
        if seconds_since(record.created) > _START_SECONDS:
            return settle(folder, record, FAILED, "the job was never started")
        return record
    if is_elsewhere(record) or is_running(record.pid, record.pid_identity):
        return record
    # The runner may have ended properly since the record was read.
    record = folder.read()
    return record if record.has_ended else settle(folder, record, FAILED, RUNNER_KILLED)


def is_elsewhere(record: JobRecord) -> bool:
    """Whether the job belongs to a machine whose processes cannot be seen from here."""
    return bool(record.host) and record.host != current_host()


def settle(folder: JobFolder, record: JobRecord, status: str, error: str) -> JobRecord:
    """Record the end of a job in place of its runner, as far as the disk lets."""
    from azureml_jobs.local.mlflow_store import MlflowStore

    record.status, record.error, record.ended = status, error, now()
    if status == CANCELED:
        record.exit_code = 130
    with contextlib.suppress(OSError):
        folder.save(record)
        MlflowStore(folder.mlruns).finish_run(record.name, status, record.ended)
    return record

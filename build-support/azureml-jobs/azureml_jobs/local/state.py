"""The present state of local jobs, even when their runners can no longer write it."""

from __future__ import annotations

import contextlib

from azureml_jobs.base.job_status import CANCELED, FAILED, now, seconds_since
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import current_host, is_running
from azureml_jobs.local.record import JobRecord

RUNNER_KILLED = "the runner was killed"
# Azure ML's rule for the name of a job is `^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$`. File systems take
# 255 bytes as well, and a part of them is for names made from this one.
LONGEST_NAME = 240
_START_SECONDS = 60.0


def current_record(folder: JobFolder) -> JobRecord:
    """Return the record of a job; one whose runner has gone becomes Failed in it."""
    record = folder.read()
    if record.has_ended:
        return record
    if record.pid is None:
        # A job that was just created has no runner for a moment.
        if seconds_since(record.created) > _START_SECONDS:
            return record_end(folder, record, FAILED, "the job was never started")
        return record
    if is_on_another_host(record) or is_running(record.pid, record.pid_identity):
        return record
    # The runner may have ended properly since the record was read.
    record = folder.read()
    return record if record.has_ended else record_end(folder, record, FAILED, RUNNER_KILLED)


def is_on_another_host(record: JobRecord) -> bool:
    """Return whether the job runs on a machine whose processes cannot be seen from here."""
    return bool(record.host) and record.host != current_host()


def record_end(folder: JobFolder, record: JobRecord, status: str, error: str) -> JobRecord:
    """Record the end of a job in place of its runner, if the disk can be written."""
    from azureml_jobs.local.mlflow_run import end_run

    record.status, record.error, record.ended = status, error, now()
    if status == CANCELED:
        record.exit_code = 130
    with contextlib.suppress(OSError):
        folder.save(record)
        end_run(folder, record)
    return record


def descendants(folder: JobFolder) -> dict[str, JobRecord]:
    """Return the jobs below a job, oldest first, by their labels: `train`, `tune/3`."""
    found = []
    # The name of a child begins with that of its parent, but for the end of a long one.
    start = f"{folder.name}_"[: LONGEST_NAME - 9]
    for path in folder.path.parent.glob(f"{start}*"):
        with contextlib.suppress(OSError, ValueError):
            found.append(current_record(JobFolder(path)))
    prefixes = {folder.name: ""}
    labelled = {}
    for record in sorted(found, key=lambda record: (record.created, record.name)):
        if record.parent in prefixes:
            label = prefixes[record.parent] + record.step
            prefixes[record.name] = f"{label}/"
            labelled[label] = record
    return labelled

"""Steer a local job from another process: follow its log, cancel it."""

from __future__ import annotations

import os
import signal
import time
from typing import BinaryIO

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.job_status import CANCELED, COMPLETED
from azureml_jobs.docker.engine import has_container, remove_container
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import is_running, job_processes, kill_job
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import RUNNER_KILLED, current, is_elsewhere, settle
from azureml_jobs.local.supervise import GRACE_SECONDS

_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 10.0
_READ_BYTES = 65536


def stream(folder: JobFolder, out: BinaryIO) -> int:
    """Write the log to `out`, from its start until the job ends; the job's own status.

    1 when the job's runner was killed, so that nobody knows the status; 141, as a shell counts it,
    when the reader of `out` has gone.
    """
    position = 0
    while True:
        # The state is read before the log, so that an ended job's log is complete.
        record = current(folder)
        try:
            position = _copy_from(folder, position, out)
        except BrokenPipeError:
            # What is buffered would otherwise fail once more when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return 128 + signal.SIGPIPE
        if record.has_ended:
            return exit_status(record)
        time.sleep(_POLL_SECONDS)


def exit_status(record: JobRecord) -> int:
    """The status of a command that waited for this job to end."""
    if record.exit_code is not None:
        return record.exit_code
    return 0 if record.status == COMPLETED else 1


def cancel(folder: JobFolder, grace: float = GRACE_SECONDS) -> JobRecord:
    """End a job and return its record when it has ended.

    The job may clean up for `grace` seconds; cancelling again meanwhile ends it at once.
    """
    record = folder.read()
    if is_elsewhere(record) and not record.has_ended:
        machine = record.host.partition(" ")[0]
        raise JobError(
            record.name,
            f"the job runs on {machine}, or in another container",
            "Cancel it there.",
        )
    if record.has_ended:
        return _cancel_ended(folder, record)
    # The start time keeps a signal from whoever may have got the runner's number since.
    if is_running(record.pid, record.pid_identity) and record.pid is not None:
        try:
            os.kill(record.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        except OSError as error:
            raise OutsideError(
                record.name,
                f"the job's runner, process {record.pid}, cannot be signalled: {error.strerror}",
                "It belongs to another user, who has to cancel it.",
            ) from error
        deadline = time.monotonic() + grace + _SETTLE_SECONDS
        while is_running(record.pid, record.pid_identity):
            if folder.read().has_ended:
                return folder.read()
            if time.monotonic() > deadline:
                raise OutsideError(
                    record.name,
                    "the job was asked to end and did not",
                    f"Its runner is the process {record.pid}.",
                )
            time.sleep(_POLL_SECONDS / 2)
        record = folder.read()
        if record.has_ended:
            return record
    return _end_without_runner(folder, record)


def _cancel_ended(folder: JobFolder, record: JobRecord) -> JobRecord:
    if record.error == RUNNER_KILLED and _is_left(folder, record):
        return _end_without_runner(folder, record)
    raise JobError(
        record.name,
        f"the job has ended already, its status is {record.status}",
        f"See it: `./pants run :aml -- jobs show {record.name}`.",
    )


def _end_without_runner(folder: JobFolder, record: JobRecord) -> JobRecord:
    kill_job(_marker(folder), _own_group(record))
    name = _container_name(record)
    trouble = remove_container(name) if name else None
    if trouble:
        raise OutsideError(
            record.name, f"the job's container {name} could not be removed: {trouble}"
        )
    return settle(folder, record, CANCELED, "canceled")


def _is_left(folder: JobFolder, record: JobRecord) -> bool:
    """Whether something of a job still runs without its runner."""
    if job_processes(_marker(folder), _own_group(record)):
        return True
    name = _container_name(record)
    return name is not None and has_container(name)


def _container_name(record: JobRecord) -> str | None:
    return record.container["name"] if record.container else None


def _marker(folder: JobFolder) -> str:
    return str(folder.path.absolute())


def _own_group(record: JobRecord) -> int | None:
    """The command's process group, if its number is still the job's for sure."""
    return record.pgid if is_running(record.pgid, record.pgid_identity) else None


def _copy_from(folder: JobFolder, position: int, out: BinaryIO) -> int:
    try:
        log = open(folder.log, "rb")
    except FileNotFoundError:
        return position
    with log:
        log.seek(position)
        while True:
            data = log.read(_READ_BYTES)
            if not data:
                break
            out.write(data)
        out.flush()
        return log.tell()

"""Cancel a local job from another process."""

from __future__ import annotations

import os
import signal
import time

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.job_status import CANCELED
from azureml_jobs.docker.engine import has_container, remove_container
from azureml_jobs.local.distribution import process_count
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import is_running, job_processes, kill_job
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import RUNNER_KILLED, is_on_another_host, record_end
from azureml_jobs.local.supervise import GRACE_SECONDS

_POLL_SECONDS = 0.05
# How much longer than its job a runner may take to end.
_RUNNER_SECONDS = 10.0


def cancel(folder: JobFolder, grace: float = GRACE_SECONDS) -> JobRecord:
    """End a job with all that it started, and return its record when it has ended.

    The job may clean up for `grace` seconds; cancelling again meanwhile ends it at once.
    """
    record = folder.read()
    if record.has_ended:
        return _cancel_ended(folder, record)
    if record.parent and record.pid == folder.sibling(record.root).read().pid:
        raise JobError(
            record.name,
            f"this pipeline runs as a part of {record.root}",
            f"Cancel all of it: `./pants run :aml -- jobs cancel {record.root}`.",
        )
    if is_on_another_host(record):
        machine = record.host.partition(" ")[0]
        raise JobError(
            record.name, f"the job runs on {machine}, or in another container", "Cancel it there."
        )
    # The identity keeps a signal from another process that has got the runner's number since.
    if record.pid is not None and is_running(record.pid, record.pid_identity):
        _signal_runner(record.name, record.pid)
        record = _wait_for_runner(folder, record, grace + _RUNNER_SECONDS)
    return record if record.has_ended else end_without_runner(folder, record)


def _signal_runner(name: str, pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except OSError as error:
        raise OutsideError(
            name,
            f"the job's runner, process {pid}, cannot be signalled: {error.strerror}",
            "It belongs to another user, who has to cancel it.",
        ) from error


def _wait_for_runner(folder: JobFolder, record: JobRecord, seconds: float) -> JobRecord:
    deadline = time.monotonic() + seconds
    while is_running(record.pid, record.pid_identity):
        latest = folder.read()
        if latest.has_ended:
            return latest
        if time.monotonic() > deadline:
            raise OutsideError(
                record.name,
                "the job was asked to end and did not",
                f"Its runner is the process {record.pid}.",
            )
        time.sleep(_POLL_SECONDS)
    return folder.read()


def _cancel_ended(folder: JobFolder, record: JobRecord) -> JobRecord:
    if record.error == RUNNER_KILLED and _still_runs(folder, record):
        return end_without_runner(folder, record)
    raise JobError(
        record.name,
        f"the job has ended already, its status is {record.status}",
        f"See it: `./pants run :aml -- jobs show {record.name}`.",
    )


def end_without_runner(folder: JobFolder, record: JobRecord) -> JobRecord:
    """Kill what is left of a job whose runner has gone, and record that it is cancelled."""
    kill_job(str(folder.path.absolute()), _own_group(record))
    for name in _container_names(record):
        problem = remove_container(name)
        if problem:
            raise OutsideError(
                record.name, f"the job's container {name} could not be removed: {problem}"
            )
    return record_end(folder, record, CANCELED, "canceled")


def _still_runs(folder: JobFolder, record: JobRecord) -> bool:
    if job_processes(str(folder.path.absolute()), _own_group(record)):
        return True
    return any(map(has_container, _container_names(record)))


def _container_names(record: JobRecord) -> list[str]:
    container, count = record.container, process_count(record.distribution)
    return [container.of_process(rank, count).name for rank in range(count)] if container else []


def _own_group(record: JobRecord) -> int | None:
    """Return the command's process group if its number is certainly still the job's."""
    return record.pgid if is_running(record.pgid, record.pgid_identity) else None

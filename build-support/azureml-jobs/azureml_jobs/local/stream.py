"""Follow the log of a local job from another process."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import BinaryIO

from azureml_jobs.base.job_status import COMPLETED
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record

_POLL_SECONDS = 0.1


def stream(folder: JobFolder, out: BinaryIO) -> int:
    """Write the log to `out`, from its start until the job ends; return the job's own status.

    1 when the job's runner was killed, so that nobody knows the status; 141, as a shell counts it,
    when the reader of `out` has gone.
    """
    position = 0
    while True:
        # The state is read before the log, so that an ended job's log is complete.
        record = current_record(folder)
        try:
            position = _copy_from(folder, position, out)
        except BrokenPipeError:
            # Otherwise Python fails again on what is buffered when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return 128 + signal.SIGPIPE
        if record.has_ended:
            return _exit_status(record)
        time.sleep(_POLL_SECONDS)


def _exit_status(record: JobRecord) -> int:
    if record.exit_code is not None:
        return record.exit_code
    return 0 if record.status == COMPLETED else 1


def _copy_from(folder: JobFolder, position: int, out: BinaryIO) -> int:
    try:
        log = open(folder.log, "rb")
    except FileNotFoundError:
        return position
    with log:
        log.seek(position)
        shutil.copyfileobj(log, out)
        out.flush()
        return log.tell()

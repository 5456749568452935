"""Follow the log of a local job, and those of the jobs that it starts, from another process."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import BinaryIO

from azureml_jobs.base.job_status import COMPLETED
from azureml_jobs.local.children import descendants
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record

_POLL_SECONDS = 0.1
# There may be many logs.
_TREE_SECONDS = 0.5


def stream(folder: JobFolder, out: BinaryIO) -> int:
    """Write the log to `out`, from its start until the job ends; return the job's own status.

    A line of a job that it started has that job's label before it: `[train] `.
    1 when the job's runner was killed, so that nobody knows the status; 141, as a shell counts it,
    when the reader of `out` has gone.
    """
    is_parent = folder.read().kind != "command"
    followers = {"": _Follower(folder.log, out, "" if is_parent else None)}
    while True:
        # The state is read before the log, so that an ended job's log is complete.
        record = current_record(folder)
        jobs = {"": record, **(descendants(folder) if is_parent else {})}
        try:
            for label, job in jobs.items():
                if label not in followers:
                    log = JobFolder(folder.path.parent / job.name).log
                    followers[label] = _Follower(log, out, f"[{label}] ")
                followers[label].copy(job.has_ended)
        except BrokenPipeError:
            # Otherwise Python fails again on what is buffered when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return 128 + signal.SIGPIPE
        if record.has_ended:
            return _exit_status(record)
        time.sleep(_TREE_SECONDS if is_parent else _POLL_SECONDS)


def _exit_status(record: JobRecord) -> int:
    if record.exit_code is not None:
        return record.exit_code
    return 0 if record.status == COMPLETED else 1


class _Follower:
    """Copies what is new in a log, as it is or line by line with `prefix` before each."""

    def __init__(self, log: Path, out: BinaryIO, prefix: str | None) -> None:
        self._log = log
        self._out = out
        self._prefix = prefix
        self._position = 0

    def copy(self, is_final: bool) -> None:
        """Copy what is new; a line that has no end yet waits until it `is_final`."""
        try:
            log = open(self._log, "rb")
        except FileNotFoundError:
            return
        with log:
            log.seek(self._position)
            if self._prefix is None:
                shutil.copyfileobj(log, self._out)
                self._position = log.tell()
            else:
                self._copy_lines(log, self._prefix.encode(), is_final)
        self._out.flush()

    def _copy_lines(self, log: BinaryIO, prefix: bytes, is_final: bool) -> None:
        for line in log:
            if not (line.endswith(b"\n") or is_final):
                break
            self._position += len(line)
            self._out.write(prefix + line.removesuffix(b"\n") + b"\n")

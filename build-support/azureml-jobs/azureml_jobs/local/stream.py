"""Follow the log of a local job, and those of the jobs that it starts, from another process."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import BinaryIO

from azureml_jobs.base.job_status import COMPLETED
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record, descendants

_POLL_SECONDS = 0.1
# There may be many logs.
_TREE_SECONDS = 0.5


def stream(folder: JobFolder, out: BinaryIO) -> int:
    """Write the log to `out`, from its start until the job ends; return the job's own status.

    A line of a job that it started has that job's label before it: `[train] `.
    1 when the job's runner was killed, so that nobody knows the status; 141, as a shell counts it,
    when the reader of `out` has gone.
    """
    logs = _Logs(folder, out)
    while True:
        # The state is read before the log, so that an ended job's log is complete.
        record = current_record(folder)
        try:
            logs.copy(record)
        except BrokenPipeError:
            # Otherwise Python fails again on what is buffered when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return 128 + signal.SIGPIPE
        if record.has_ended:
            return int(record.status != COMPLETED) if record.exit_code is None else record.exit_code
        time.sleep(_TREE_SECONDS if logs.is_parent else _POLL_SECONDS)


def copy_log(folder: JobFolder, out: BinaryIO) -> None:
    """Write to `out` what there is of the log, as `stream` does, and do not wait for more."""
    _Logs(folder, out).copy(folder.read(), is_final=True)


class _Logs:
    """The logs of a job and of those that it started, as far as they have been copied to `out`."""

    def __init__(self, folder: JobFolder, out: BinaryIO) -> None:
        self.is_parent = folder.read().kind != "command"
        self._folder = folder
        self._out = out
        self._positions: dict[str, int] = {}

    def copy(self, record: JobRecord, is_final: bool = False) -> None:
        """Copy what is new; `record` is the state of the job before that."""
        below = descendants(self._folder) if self.is_parent else {}
        for label, job in {"": record, **below}.items():
            path = self._folder.sibling(job.name).log
            if path.exists():
                with open(path, "rb") as log:
                    log.seek(self._positions.get(label, 0))
                    self._copy_new(log, label, is_final or job.has_ended)
        self._out.flush()

    def _copy_new(self, log: BinaryIO, label: str, is_final: bool) -> None:
        """Copy one log, of a parent by lines; one without its end waits until it `is_final`."""
        if not self.is_parent:
            shutil.copyfileobj(log, self._out)
            self._positions[label] = log.tell()
            return
        prefix = f"[{label}] ".encode() if label else b""
        for line in log:
            if not (line.endswith(b"\n") or is_final):
                break
            self._positions[label] = self._positions.get(label, 0) + len(line)
            self._out.write(prefix + line.removesuffix(b"\n") + b"\n")

"""A job that another job starts: a step of a pipeline, or a trial of a sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.base.job_status import CANCELED, FAILED
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import record_end


class Child:
    """The job in `folder`, started in a process of its own that does not outlive this one.

    What it prints is only in its log. Ctrl-C in a terminal does not reach it, so that this process
    decides how it ends. `prefix` is that of the virtual environment to run in.
    """

    def __init__(self, folder: JobFolder, prefix: str = "") -> None:
        self.folder = folder
        python = os.path.join(prefix, "bin", "python") if prefix else sys.executable
        self._process = subprocess.Popen(
            [python, str(RUN_SCRIPT), "execute-child", str(folder.path)],
            # Its end shows that this process has gone.
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def has_ended(self) -> bool:
        """Return whether the process has ended, so that the record is final."""
        if self._process.poll() is None:
            return False
        if self._process.stdin is not None:
            self._process.stdin.close()
        return True

    def record(self) -> JobRecord:
        """Return the present record; after the end of the process it has an end."""
        # Asked before, so that the record of an ended process is final.
        code = self._process.poll()
        record = self.folder.read()
        if code is None or record.has_ended:
            return record
        # It may have been asked to end before it could record that; or the disk is full.
        status = CANCELED if code == -signal.SIGTERM else FAILED
        why = f"its process ended with status {code} before it could record why"
        return record_end(self.folder, record, status, why)

    def cancel(self) -> None:
        """Ask it to end, or, when it was asked before, to end at once."""
        # Not SIGINT, at which Python shows a traceback as long as it starts.
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process itself, and leave what it runs."""
        self._process.kill()
        self._process.wait()

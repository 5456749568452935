"""Execute the job in a folder, whatever kind it is: `run.py execute <job folder>`."""

from __future__ import annotations

import os
import pkgutil
import signal
import threading
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.job_run import JobRun
from azureml_jobs.local.supervise import GRACE_SECONDS

# `module:class` of each kind. A module is imported only when such a job runs.
_RUNS = {
    "command": "azureml_jobs.local.runner:CommandRun",
    "pipeline": "azureml_jobs.local.pipeline.run:PipelineRun",
    "sweep": "azureml_jobs.local.sweep.run:SweepRun",
}


def execute_job(path: Path, grace: float = GRACE_SECONDS) -> int:
    """Run the job in the folder `path` and return its own exit status.

    128 + n when a signal n asked for its end, 124 when `limits.timeout` did. `grace` is how many
    seconds a job that is asked to end may clean up. Raises `JobError` when it has run already.
    """
    folder = JobFolder(path.absolute())
    record = folder.read()
    if record.status != status.NOT_STARTED:
        raise JobError(
            record.name,
            f"the job cannot be started, its status is {record.status}",
            "Start a new one by the command that created it.",
        )
    run: JobRun = pkgutil.resolve_name(_RUNS[record.kind])(folder, record, grace)
    return run.run()


def execute_child(path: Path) -> int:
    """Run the job in the folder `path` for the process at the other end of standard input."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    terminal = os.dup(2)
    os.dup2(1, 2)
    try:
        return execute_job(path)
    except Exception as error:
        # One of the user is in the record.
        if not isinstance(error, JobError):
            os.dup2(terminal, 2)
        raise


def _end_with_parent() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

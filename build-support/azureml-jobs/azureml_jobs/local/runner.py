"""Run a job that is one command."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS, Container
from azureml_jobs.local.environment import job_environment
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.job_run import JobRun
from azureml_jobs.local.mounts import make_shared_folders
from azureml_jobs.local.output import Log, last_lines
from azureml_jobs.local.process import identity_of, signal_group
from azureml_jobs.local.process_spec import ProcessSpec, process_spec
from azureml_jobs.local.python_path import with_python_path
from azureml_jobs.local.run_report import TAIL_LINES
from azureml_jobs.local.supervise import Ended, Supervision


class CommandRun(JobRun):
    """The run of one command."""

    def make_folders(self) -> None:
        folder = self.folder
        if self.record.code and not folder.work.exists():
            shutil.copytree(folder.path / self.record.code, folder.work, symlinks=True)
        # Azure ML makes these two in the folder that a command starts in, and keeps what is
        # written there.
        for name in ("outputs", "logs"):
            (folder.work / name).mkdir(parents=True, exist_ok=True)
        for name in self.record.outputs:
            (folder.outputs / name).mkdir(parents=True, exist_ok=True)
        if self.record.container:
            make_shared_folders(folder.root)

    def run_job(self, interruptions: Interruptions, log: Log, experiment_id: str) -> Ended:
        record = self.record
        spec = self._process_spec(experiment_id)
        started = time.monotonic()
        process, copies = spec.start_logged(log)
        record.status, record.pgid = status.RUNNING, process.pid
        record.pgid_identity = identity_of(process.pid)
        self.save()

        def on_stop() -> None:
            record.status = status.CANCEL_REQUESTED
            self.save()

        ended = Supervision(
            process,
            interruptions,
            send_signal=lambda signum: signal_group(process.pid, signum),
            kill=lambda: spec.kill(process.pid),
            copies=copies,
            grace=self.grace,
            timeout=record.timeout,
            on_stop=on_stop,
        ).wait()
        record.timings["running"] = round(time.monotonic() - started, 3)
        if spec.container is not None:
            _check_started(record.name, ended, self.folder.log)
        return ended

    def _process_spec(self, experiment_id: str) -> ProcessSpec:
        folder, record = self.folder, self.record
        environment = job_environment(record, folder.mlruns, experiment_id, dict(os.environ))
        container = Container.of_data(record.container) if record.container else None
        command = ["bash", "-c", record.command]
        if record.debugger:
            command = with_python_path(command, record.debugger)
        return process_spec(command, environment, container, folder.path, folder.work)


def _check_started(name: str, ended: Ended, log: Path) -> None:
    """Raise `OutsideError` when Docker could not start the job's container."""
    lines = last_lines(log, TAIL_LINES).splitlines()
    messages = [line for line in lines if line.startswith("docker: ")]
    if ended.status == DOCKER_FAILED_STATUS and messages:
        raise OutsideError(
            name,
            f"its container could not be started: {messages[0][len('docker: '):].rstrip('.')}",
            "Check the arguments of `docker run` that were given, and the engine.",
        )

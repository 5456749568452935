"""Run a job that is one command."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS, Container
from azureml_jobs.local.code_sources import CodeSources
from azureml_jobs.local.distribution import process_variables, shell_command
from azureml_jobs.local.environment import job_environment
from azureml_jobs.local.folder import make_shared_folders
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.job_run import JobRun
from azureml_jobs.local.last_watch import LastWatch
from azureml_jobs.local.missing_file import missing_file
from azureml_jobs.local.missing_module import missing_module
from azureml_jobs.local.output import Copy, Log, last_lines
from azureml_jobs.local.outputs import keep_artifacts
from azureml_jobs.local.process import identity_of, signal_group
from azureml_jobs.local.process_spec import ProcessSpec, process_spec
from azureml_jobs.local.python_path import with_python_path
from azureml_jobs.local.run_environment import run_environment
from azureml_jobs.local.run_report import TAIL_LINES
from azureml_jobs.local.supervise import Ended, Supervision
from azureml_jobs.local.usage import Meter


class CommandRun(JobRun):
    """The run of one command: as one process or, when it is distributed, as several."""

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
        record, sources = self.record, CodeSources(self.folder, self.record)
        with contextlib.ExitStack() as stack:
            pythons = stack.enter_context(run_environment(record.python, self.folder.path))
            started, meter = time.monotonic(), Meter()
            group = _Group(self._process_specs(experiment_id, pythons), sources)
            for rank in range(len(group.specs)):
                group.start(rank, log, self._own_log(rank, len(group.specs), stack))
            record.pgid = group.processes[0].pid
            record.pgid_identity = identity_of(record.pgid)
            self.begin_running()

            def on_stop() -> None:
                record.status = status.CANCEL_REQUESTED
                self.save()

            ended = Supervision(
                group.processes,
                interruptions,
                send_signal=group.send_signal,
                kill=group.kill,
                copies=group.copies,
                grace=self.grace,
                timeout=record.timeout,
                on_stop=on_stop,
            ).wait()
            record.timings["running"] = round(time.monotonic() - started, 3)
            record.usage = meter.used(has_processes=not record.container)
        keep_artifacts(self.folder, record.outputs)
        if ended.status:
            hints = missing_module(record, self.folder.log), missing_file(self.folder.log, sources)
            record.warnings += filter(None, hints)
        if record.container:
            log_file = self.folder.process_log(ended.failed, len(group.specs))
            _check_started(record.name, ended, log_file)
        return ended

    def _own_log(self, rank: int, count: int, stack: contextlib.ExitStack) -> Log | None:
        """Return the log of one of several processes."""
        if count == 1:
            return None
        log = Log(self.folder.process_log(rank, count))
        return stack.enter_context(contextlib.closing(log))

    def _process_specs(self, experiment_id: str, pythons: Sequence[str]) -> list[ProcessSpec]:
        folder, record = self.folder, self.record
        places = process_variables(record.distribution)
        container = Container.of_data(record.container) if record.container else None
        specs = []
        for rank, place in enumerate(places):
            environment = job_environment(
                record, folder.mlruns, experiment_id, dict(os.environ), pythons, place
            )
            command = ["bash", "-c", shell_command(record.distribution, place, record.command)]
            if record.debugger:
                command = with_python_path(command, record.debugger)
            own = container.of_process(rank, len(places)) if container else None
            specs.append(process_spec(command, environment, own, folder.path, folder.work))
        return specs


@dataclass
class _Group:
    """The processes of a job, of which those in `processes` have started."""

    specs: Sequence[ProcessSpec]
    sources: CodeSources
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    watches: list[LastWatch] = field(default_factory=list)

    def start(self, rank: int, log: Log, own_log: Log | None) -> None:
        """Start the process of this rank; if it cannot be started, end the others."""
        mark = b"[%d] " % rank if own_log else b""
        try:
            process, copies = self.specs[rank].start_logged(log, mark, own_log, self.sources)
        except OutsideError:
            self.kill()
            raise
        self.processes.append(process)
        self.copies += copies
        container = self.specs[rank].container
        remove = ("docker", "rm", "--force", container.name) if container else ("true",)
        self.watches.append(LastWatch(process.pid, remove))

    def send_signal(self, signum: int) -> None:
        for process in self.processes:
            if process.poll() is None:
                signal_group(process.pid, signum)

    def kill(self) -> None:
        for spec in self.specs:
            spec.kill(*(process.pid for process in self.processes))
        for watch in self.watches:
            watch.end()


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

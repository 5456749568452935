"""Run a job that is one command."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS
from azureml_jobs.local.code_sources import CodeSources
from azureml_jobs.local.distribution import process_variables, shell_command
from azureml_jobs.local.environment import job_environment
from azureml_jobs.local.folder import JobFolder, make_shared_folders
from azureml_jobs.local.job_run import TAIL_LINES, JobRun
from azureml_jobs.local.missing import missing_file, missing_module
from azureml_jobs.local.output import Copy, Log, last_lines
from azureml_jobs.local.process import identity_of, signal_group
from azureml_jobs.local.process_spec import ProcessSpec, process_spec, with_python_path
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_environment import run_environment
from azureml_jobs.local.supervise import Ended, Supervision
from azureml_jobs.local.usage import Meter

# Waits for the end of the pipe, which comes with that of the runner however it ends, and then ends
# the job, by the Python $0, and the container, which the command in the arguments removes.
_LAST_WATCH = 'read -r _; "$0" -c "$END_JOB" & "$@"; wait'
_END_JOB = "from azureml_jobs.local.process import end_job; end_job({!r}, {})"


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

    def run_job(self, log: Log, experiment_id: str) -> Ended:
        record, sources = self.record, CodeSources(self.folder, self.record)
        with contextlib.ExitStack() as stack:
            pythons = stack.enter_context(run_environment(record.python, self.folder.path))
            started, meter = time.monotonic(), Meter()
            group = _Group(self._process_specs(experiment_id, pythons), sources)
            count = len(group.specs)
            for rank in range(count):
                # Each of several processes has a log in addition.
                own = Log(self.folder.process_log(rank, count)) if count > 1 else None
                if own:
                    stack.callback(own.close)
                group.start(rank, log, own)
            record.pgid = group.processes[0].pid
            record.pgid_identity = identity_of(record.pgid)
            self.begin_running()

            def on_stop() -> None:
                record.status = status.CANCEL_REQUESTED
                self.save()

            ended = Supervision(
                group.processes,
                self.interruptions,
                send_signal=group.send_signal,
                kill=group.kill,
                copies=group.copies,
                grace=self.grace,
                timeout=record.timeout,
                on_stop=on_stop,
            ).wait()
            record.timings["running"] = round(time.monotonic() - started, 3)
            record.usage = meter.used(has_processes=not record.container)
        _keep_artifacts(self.folder, record)
        if ended.status:
            hints = missing_module(record, self.folder.log), missing_file(self.folder.log, sources)
            record.warnings += filter(None, hints)
        if record.container and ended.status == DOCKER_FAILED_STATUS:
            _check_started(record.name, self.folder.process_log(ended.failed, count))
        return ended

    def _process_specs(self, experiment_id: str, pythons: Sequence[str]) -> list[ProcessSpec]:
        folder, record = self.folder, self.record
        places = process_variables(record.distribution)
        specs = []
        for rank, place in enumerate(places):
            environment = job_environment(record, folder.mlruns, experiment_id, pythons, place)
            command = ["bash", "-c", shell_command(record.distribution, place, record.command)]
            if record.debugger:
                command = with_python_path(command, record.debugger)
            own = record.container and record.container.of_process(rank, len(places))
            specs.append(process_spec(command, environment, own, folder.path, folder.work))
        return specs


@dataclass
class _Group:
    """The processes of a job, of which those in `processes` have started."""

    specs: Sequence[ProcessSpec]
    sources: CodeSources
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    watches: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, rank: int, log: Log, own_log: Log | None) -> None:
        """Start the process of this rank; if it cannot be started, end the others."""
        mark = b"[%d] " % rank if own_log else b""
        try:
            process, copies = self.specs[rank].start_logged(log, mark, own_log, self.sources)
        except JobError:
            self.kill()
            raise
        self.processes.append(process)
        self.copies += copies
        container = self.specs[rank].container
        remove = ("docker", "rm", "--force", container.name) if container else ("true",)
        watch = subprocess.Popen(
            ["bash", "-c", _LAST_WATCH, sys.executable, *remove],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "END_JOB": _END_JOB.format(str(self.specs[rank].folder), process.pid),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in the terminal is for the runner.
            start_new_session=True,
        )
        self.watches.append(watch)

    def send_signal(self, signum: int) -> None:
        for process in self.processes:
            if process.poll() is None:
                signal_group(process.pid, signum)

    def kill(self) -> None:
        for spec in self.specs:
            spec.kill(*(process.pid for process in self.processes))
        for watch in self.watches:
            watch.kill()
            watch.wait()


def _keep_artifacts(folder: JobFolder, record: JobRecord) -> None:
    """Copy what a job wrote without naming it to its output `artifacts`, if that is empty.

    By this name a step of a pipeline gives `./outputs`, `./logs` and its log to others.
    """
    own = Path(record.outputs.get("artifacts", ""))
    if "artifacts" in record.outputs and own.is_dir() and not any(own.iterdir()):
        for source in (folder.work / "outputs", folder.work / "logs", folder.log.parent):
            shutil.copytree(source, own / source.name, symlinks=True, ignore=_without_content)


def _without_content(folder: str, names: Sequence[str]) -> list[str]:
    """Return which of the names in a folder are those of pipes, sockets and devices."""
    kinds = {name: stat.S_IFMT(Path(folder, name).lstat().st_mode) for name in names}
    kept = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
    return [name for name, kind in kinds.items() if kind not in kept]


def _check_started(name: str, log: Path) -> None:
    for line in last_lines(log, TAIL_LINES).splitlines():
        if line.startswith("docker: "):
            raise OutsideError(
                name,
                f"its container could not be started: {line.removeprefix('docker: ').rstrip('.')}",
                "Check the arguments of `docker run` that were given, and the engine.",
            )

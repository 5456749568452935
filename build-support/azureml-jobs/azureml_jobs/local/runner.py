"""Run a staged job to its end and keep its record: `run.py execute <job folder>`."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS, Container
from azureml_jobs.local.debugger.debugger import debugged
from azureml_jobs.local.environment import job_environment
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mounts import make_shared_folders
from azureml_jobs.local.output import Log, last_lines, open_standard_descriptors, say
from azureml_jobs.local.process import current_host, identity_of, signal_group
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.start import launch
from azureml_jobs.local.supervise import GRACE_SECONDS, Ended, Supervision

# As of timeout(1).
TIMED_OUT_STATUS = 124
_TAIL_LINES = 20


def execute_job(path: Path, grace: float = GRACE_SECONDS) -> int:
    """Run the job in the folder `path` and return its own exit status.

    128 + n when a signal n asked for its end, 124 when `limits.timeout` did. `grace` is how many
    seconds a job that is asked to end may clean up. Raises `JobError` when it has run already.
    """
    open_standard_descriptors()
    folder = JobFolder(path.absolute())
    record = folder.read()
    if record.status != status.NOT_STARTED:
        raise JobError(
            record.name,
            f"the job cannot be started, its status is {record.status}",
            "Start a new one by the command that made it.",
        )
    return _Run(folder, record, grace).to_its_end()


class _Run:
    def __init__(self, folder: JobFolder, record: JobRecord, grace: float) -> None:
        self._folder = folder
        self._record = record
        self._grace = grace
        self._disk_failed = False

    def to_its_end(self) -> int:
        record = self._record
        with Interruptions() as interruptions:
            begun = time.monotonic()
            record.status, record.started = status.PREPARING, status.now()
            record.pid, record.pid_identity = os.getpid(), identity_of(os.getpid())
            record.host = current_host()
            self._save()
            try:
                experiment_id = self._prepare()
                log = Log(self._folder.log)
                with contextlib.closing(log):
                    record.timings["preparing"] = round(time.monotonic() - begun, 3)
                    ended = self._run_command(interruptions, log, experiment_id)
                    if log.error:
                        record.warnings.append(f"a part of the log was not kept: {log.error}")
            except JobError as error:
                self._record_failure(error, begun)
                raise
            except OSError as error:
                self._record_failure(error, begun)
                raise OutsideError(record.name, f"the job could not be run: {error}") from error
            self._settle(ended)
            record.timings["total"] = round(time.monotonic() - begun, 3)
            self._finish()
            self._report(ended)
        return _exit_status(ended)

    def _prepare(self) -> str:
        """Make the folders and the MLflow run that the command finds; the experiment's id."""
        folder, record = self._folder, self._record
        if not folder.work.exists():
            import shutil

            shutil.copytree(folder.bundle / "code", folder.work, symlinks=True)
        # Azure ML makes these two in the folder that a command starts in, and keeps what is
        # written there.
        for name in ("outputs", "logs"):
            (folder.work / name).mkdir(exist_ok=True)
        for name in record.outputs:
            (folder.outputs / name).mkdir(parents=True, exist_ok=True)
        if record.container:
            make_shared_folders(folder.root)

        from azureml_jobs.local.mlflow_store import MlflowStore

        store = MlflowStore(folder.mlruns)
        experiment_id = store.ensure_experiment(record.experiment_name)
        store.create_run(
            experiment_id,
            record.name,
            record.display_name or record.name,
            {**record.tags, "mlflow.source.name": record.address or record.name},
            record.started or record.created,
        )
        return experiment_id

    def _run_command(self, interruptions: Interruptions, log: Log, experiment_id: str) -> Ended:
        folder, record = self._folder, self._record
        early = interruptions.take()
        if early:
            return Ended(128 + early[0], signalled=early[0])
        environment = job_environment(record, folder.mlruns, experiment_id, dict(os.environ))
        container = Container.of_data(record.container) if record.container else None
        command = ["bash", "-c", record.command]
        if record.debugger:
            command = debugged(command, record.debugger)
        started = launch(command, environment, container, folder.path, folder.work)
        begun = time.monotonic()
        try:
            process, copies = started.copied_to(log)
        except OSError as error:
            raise OutsideError(
                record.name,
                f"{started.argv[0]} could not be started: {error.strerror}",
                (
                    "Jobs run under bash, here as in Azure ML. Install it, or look at the PATH."
                    if container is None
                    else "Install Docker, or look at the PATH."
                ),
            ) from error
        record.status, record.pgid = status.RUNNING, process.pid
        record.pgid_identity = identity_of(process.pid)
        self._save()

        def stopping() -> None:
            record.status = status.CANCEL_REQUESTED
            self._save()

        ended = Supervision(
            process,
            interruptions,
            ask=lambda signum: signal_group(process.pid, signum),
            kill=lambda: started.kill(process.pid),
            copies=copies,
            grace=self._grace,
            timeout=record.timeout,
            stopping=stopping,
        ).wait()
        record.timings["running"] = round(time.monotonic() - begun, 3)
        if container is not None:
            _check_started(record.name, ended, folder.log)
        return ended

    def _settle(self, ended: Ended) -> None:
        record = self._record
        record.exit_code = _exit_status(ended)
        if ended.signalled is not None:
            record.status = status.CANCELED
            record.error = f"canceled by {signal.Signals(ended.signalled).name}"
        elif ended.timed_out:
            # Azure ML cancels a job that reaches its limit.
            record.status = status.CANCELED
            record.error = f"timed out after {record.timeout:g} s (`limits.timeout`)"
        elif ended.status:
            record.status = status.FAILED
            record.error = f"the command ended with {_in_words(ended.status)}"
        else:
            record.status = status.COMPLETED

    def _finish(self) -> None:
        record = self._record
        record.ended = status.now()
        self._save()
        from azureml_jobs.local.mlflow_store import MlflowStore

        try:
            MlflowStore(self._folder.mlruns).finish_run(record.name, record.status, record.ended)
        except OSError as error:
            say(2, f"{record.name}: the MLflow run could not be ended: {error}.\n")

    def _record_failure(self, error: Exception, begun: float) -> None:
        record = self._record
        record.status, record.error = status.FAILED, str(error)
        record.timings["total"] = round(time.monotonic() - begun, 3)
        self._finish()

    def _save(self) -> None:
        """Write the record. A job goes on when the disk is full, and the user is told once."""
        try:
            self._folder.save(self._record)
        except OSError as error:
            if not self._disk_failed:
                self._disk_failed = True
                say(2, f"{self._record.name}: the job's record could not be written: {error}.\n")

    def _report(self, ended: Ended) -> None:
        record = self._record
        for warning in record.warnings:
            say(2, f"{record.name}: {warning}.\n")
        seconds = record.timings["total"]
        show = f"./pants run :aml -- jobs show {record.name}"
        if record.status == status.COMPLETED:
            say(1, f"{record.name} {record.status} in {seconds:.1f} s. See it: {show}\n")
            return
        tail = last_lines(self._folder.log, _TAIL_LINES)
        if tail and ended.signalled is None:
            rule = f"----- end of the log of {record.name} "
            tail += "" if tail.endswith("\n") else "\n"
            say(2, f"\n{rule:-<79}\n{tail}{'':-<79}\n")
        say(
            2,
            f"\n{record.name} {record.status} after {seconds:.1f} s: {record.error}.\n"
            f"Its log: {_shown(self._folder.log)}\n"
            f"See it: {show}\n",
        )


def _check_started(name: str, ended: Ended, log: Path) -> None:
    """Raise `OutsideError` when Docker could not start the job's container."""
    said = [line for line in last_lines(log, _TAIL_LINES).splitlines() if line[:8] == "docker: "]
    if ended.status == DOCKER_FAILED_STATUS and said:
        raise OutsideError(
            name,
            f"its container could not be started: {said[0][len('docker: '):].rstrip('.')}",
            "Look at the arguments of `docker run` that were given, and at the engine.",
        )


def _exit_status(ended: Ended) -> int:
    if ended.signalled is not None:
        return 128 + ended.signalled
    return TIMED_OUT_STATUS if ended.timed_out else ended.status


def _in_words(code: int) -> str:
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"exit status {code} ({signal.Signals(code - 128).name})"
    return f"exit status {code}"


def _shown(path: Path) -> str:
    """`path` relative to the present folder where it is inside, which is short to read."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(path)

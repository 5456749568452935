"""Run `./pants run :aml -- jobs …`: what it asks of a workspace, and the short commands."""

from __future__ import annotations

import argparse
import io
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from azureml_jobs.base.console import print_json, print_warning, short_path
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.jobs import DownloadResult, JobSelection, labelled
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.cli.job_tree import print_jobs

Row = dict[str, Any]
# The values of metrics by name.
Curves = Mapping[str, Sequence[Row]]


class WorkspaceJobs(Protocol):
    """The jobs of one workspace.

    A row has `children`, the rows of the jobs that it started; None where that is not asked for.
    """

    def list(self, wanted: JobSelection) -> Sequence[Row]:
        """Return rows of the jobs that no other started, newest first."""

    def describe(self, name: str) -> Row:
        """Return what is known of a job: its row, what was submitted, and what it logged."""

    def logged(self, names: Sequence[str]) -> Sequence[Row]:
        """Return the row of each job with its `params` and the last values of its `metrics`."""

    def curves(self, names: Sequence[str], metrics: Sequence[str]) -> Mapping[str, Curves]:
        """Return all values of these metrics of each job.

        A value has `step`, `timestamp` in milliseconds, and `value`.
        """

    def before(self, job: Mapping[str, Any]) -> str | None:
        """Return the name of the job of the same target before a described one, if any."""

    def children(self, name: str) -> Sequence[Row]: ...

    def stream(self, name: str, out: BinaryIO) -> int: ...

    def log(self, name: str, out: BinaryIO) -> None:
        """Write to `out` what the job and those that it started have printed so far."""

    def cancel(self, name: str) -> str: ...

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult: ...

    def record(self, name: str, destination: Path, with_code: bool) -> None:
        """Write manifest and changes of what a job ran into a new folder, and its code if asked.

        Raises `JobError` for a job that has no such record.
        """

    def archive(self, name: str) -> None: ...


def jobs_of(workspace: AzureWorkspace | None, repository: Path, login: bool) -> WorkspaceJobs:
    """Return the jobs of a workspace in Azure, or of the local one."""
    if workspace is None:
        from azureml_jobs.local.local_jobs import LocalJobs

        return LocalJobs(repository / LOCAL_FOLDER)
    from azureml_jobs.azure.jobs import AzureJobs  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    return AzureJobs(ConnectedWorkspace(workspace, login))


def is_on_this_machine(name: str, repository: Path) -> bool:
    """Return whether the local workspace has a job of this name."""
    return (repository / LOCAL_FOLDER / "jobs" / name / "job.json").is_file()


_Command = Callable[[WorkspaceJobs, argparse.Namespace], int]


def run_jobs(
    workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace
) -> int:
    """Run the command of the options, which get the `repository` and the name of a step."""
    jobs = jobs_of(workspace, repository, options.login)
    options.repository = repository
    if getattr(options, "step", None):
        options.name = _name_of_step(jobs, options.name, options.step)
    command = _COMMANDS[options.command]
    run: _Command = pkgutil.resolve_name(command) if isinstance(command, str) else command
    return run(jobs, options)


def _name_of_step(jobs: WorkspaceJobs, name: str, step: str) -> str:
    steps = {label: row["name"] for label, row in labelled(jobs.children(name))}
    if step not in steps:
        remedy = suggestion(step, list(steps), "It has started no others.")
        raise JobError(name, f"the job has no step `{step}`", remedy)
    if not steps[step]:
        see = f"See what has: `./pants run :aml -- jobs show {name}`."
        raise JobError(name, f"the step `{step}` has not started", see)
    return str(steps[step])


def list_jobs(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    wanted = JobSelection(options.status, options.experiment, options.max, options.archived)
    rows = jobs.list(wanted)
    if options.json:
        print_json(rows)
        return 0
    if not rows and options.experiment:
        print(f"The experiment {options.experiment} has no such job.")
    elif not rows and options.status:
        print(f"No job is {options.status}.")
    elif not rows:
        print("No jobs. Start one: ./pants run src/X:job")
    else:
        print_jobs(rows)
    return 0


def stream_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    return jobs.stream(options.name, sys.stdout.buffer)


def print_log(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    if options.tail is None:
        jobs.log(options.name, sys.stdout.buffer)
        return 0
    log = io.BytesIO()
    jobs.log(options.name, log)
    log.seek(0)
    sys.stdout.buffer.writelines(log.readlines()[-options.tail :])
    return 0


def cancel_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    print(f"{options.name} {jobs.cancel(options.name)}")
    return 0


def download_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    downloads = options.repository / LOCAL_FOLDER / "downloads"
    destination = options.path or downloads / options.name
    result = jobs.download(options.name, destination, options.output_name)
    for name in result.left_out:
        print_warning(f"{name} is left out: it went away, kept changing, or is no file")
    files = f"{result.files} file{'' if result.files == 1 else 's'} in {short_path(destination)}"
    if result.status not in ENDED:
        files += f", as they are now: the job is {result.status}"
    print(files)
    return 0


def archive_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    jobs.archive(options.name)
    print(f"{options.name} is archived: `jobs list --archived` still shows it")
    return 0


# A longer one has a module, which is imported only when it runs.
_COMMANDS: dict[str, _Command | str] = {
    "list": list_jobs,
    "show": "azureml_jobs.cli.show:show_job",
    "compare": "azureml_jobs.cli.compare:compare_jobs",
    "diff": "azureml_jobs.cli.diff:diff_jobs",
    "stream": stream_job,
    "logs": print_log,
    "cancel": cancel_job,
    "download": download_job,
    "archive": archive_job,
}

"""Run `./pants run :aml -- jobs …`: list, show, compare, stream, cancel, download, archive."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from azureml_jobs.base.console import (
    BOLD,
    coloured,
    duration_text,
    print_json,
    print_warning,
    status_coloured,
    time_text,
)
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.base.trial_table import value_texts
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.cli.job_tree import labelled, print_children, print_jobs

if TYPE_CHECKING:
    from azureml_jobs.base.download_result import DownloadResult


class WorkspaceJobs(Protocol):
    """The jobs of one workspace, local or in Azure.

    A row has `children`, the rows of the jobs that it started; None where that is not asked for.
    """

    def list(
        self, status: str | None, count: int | None, archived: bool
    ) -> Sequence[dict[str, Any]]:
        """Return rows of the jobs that no other started."""

    def describe(self, name: str, whole: bool) -> dict[str, Any]:
        """Return what is known of a job; `whole` adds all values of its metrics."""

    def children(self, name: str) -> Sequence[dict[str, Any]]: ...

    def stream(self, name: str, out: BinaryIO) -> int: ...

    def cancel(self, name: str) -> str: ...

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult: ...

    def record(self, name: str, destination: Path, with_code: bool) -> None:
        """Write manifest and changes of what a job ran into a new folder, and its code if asked.

        Raises `JobError` for a job that has no such record.
        """

    def archive(self, name: str) -> None: ...


def jobs_of(workspace: AzureWorkspace | None, repository: Path, login: bool) -> WorkspaceJobs:
    """Return the jobs of a workspace, None for that of this machine."""
    if workspace is None:
        from azureml_jobs.local.local_jobs import LocalJobs

        return LocalJobs(repository / LOCAL_FOLDER)
    from azureml_jobs.azure.jobs import AzureJobs  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    return AzureJobs(ConnectedWorkspace(workspace, login))


def run_jobs(
    workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace
) -> int:
    jobs = jobs_of(workspace, repository, options.login)
    if getattr(options, "step", None):
        options.name = _name_of_step(jobs, options.name, options.step)
    return _COMMANDS[options.command](jobs, options)


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
    rows = jobs.list(options.status, options.max, options.archived)
    if options.json:
        print_json(rows)
        return 0
    if not rows and options.status:
        print(f"No job is {options.status}.")
    elif not rows:
        print("No jobs. Start one: ./pants run src/X:job")
    else:
        print_jobs(rows)
    return 0


def show_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    job = jobs.describe(options.name, whole=options.json)
    if options.json:
        print_json(job)
        return 0
    print(f"{coloured(job['name'], BOLD)}  {status_coloured(job['status'])}")
    for key, value in _facts(job).items():
        if value:
            indented = value.replace("\n", f"\n{'':16}")
            print(f"  {key:<13} {indented}")
    print_children(job)
    for title, values in (
        ("parameters", job["params"]),
        ("metrics", job["metrics"]),
        ("tags", {k: v for k, v in job["tags"].items() if not k.startswith("mlflow.")}),
        ("outputs", {name: _short_path(path) for name, path in job["outputs"].items()}),
    ):
        if values:
            print(f"\n{coloured(title, BOLD)}")
            width = max(len(key) for key in values)
            for key, value in sorted(values.items()):
                text = f"{value:.6g}" if isinstance(value, float) else value
                print(f"  {key:<{width}}  {text}")
    if job["artifacts"]:
        print(f"\n{coloured('artifacts', BOLD)}")
        for name in job["artifacts"]:
            print(f"  {name}")
    return 0


def compare_jobs(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    from azureml_jobs.cli.compare import compared, print_compared

    names = options.names
    if len(names) == 1:
        # The commands below it: pipelines and sweeps log nothing themselves.
        below = (row for _, row in labelled(jobs.children(names[0])))
        names = [row["name"] for row in below if row["name"] and not row["children"]]
    if len(names) < 2:
        raise JobError(
            options.names[0],
            "there is nothing to compare it with",
            "Write the names of two jobs or more, or that of a sweep or a pipeline.",
        )
    rows = compared([jobs.describe(name, whole=False) for name in names], options.sort_by)
    if options.json:
        print_json(rows)
    else:
        print_compared(rows)
    return 0


def _facts(job: Mapping[str, Any]) -> dict[str, str]:
    values = value_texts(job.get("parameters") or {})
    # Jobs in Azure ML have neither runtime nor container.
    image = (job.get("container") or {}).get("image")
    return {
        "experiment": job["experiment_name"],
        "display name": job["display_name"],
        "target": job["address"],
        "part of": job["parent"],
        "outputs of": job["reused"],
        "values": ", ".join(f"{name}={text}" for name, text in values.items()),
        "best trial": job.get("best_trial", ""),
        "created": time_text(job["created"]),
        "duration": duration_text(job["duration"]),
        "exit status": "" if job["exit_code"] is None else str(job["exit_code"]),
        "error": job["error"] or "",
        "command": job["command"].strip(),
        "compute": job.get("compute", ""),
        "runtime": ", ".join(filter(None, (job.get("runtime"), image))),
        "log": _short_path(job["log"]),
        "folder": _short_path(job["folder"]),
    }


def stream_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    return jobs.stream(options.name, sys.stdout.buffer)


def cancel_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    print(f"{options.name} {jobs.cancel(options.name)}")
    return 0


def download_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    destination = options.path or Path(options.name)
    result = jobs.download(options.name, destination, options.output_name)
    for name in result.left_out:
        print_warning(f"{name} is left out: it went away or kept changing while it was copied")
    files = f"{result.files} file{'' if result.files == 1 else 's'} in {destination}"
    if not result.is_final:
        files += f", as they are now: the job is {result.status}"
    print(files)
    return 0


def archive_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    jobs.archive(options.name)
    print(f"{options.name} is archived: `jobs list --archived` still shows it")
    return 0


_COMMANDS = {
    "list": list_jobs,
    "show": show_job,
    "compare": compare_jobs,
    "stream": stream_job,
    "cancel": cancel_job,
    "download": download_job,
    "archive": archive_job,
}


def _short_path(path: str) -> str:
    """Return the path relative to the working folder if it is inside."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path

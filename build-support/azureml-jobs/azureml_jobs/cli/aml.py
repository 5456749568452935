"""`./pants run :aml -- …`: the commands to look at jobs and to run_aml them, in either place."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from azureml_jobs.base import job_status
from azureml_jobs.base.console import (
    BOLD,
    GREEN,
    RED,
    YELLOW,
    coloured,
    duration_text,
    print_warning,
    table,
)
from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace, configured_workspace
from azureml_jobs.cli.aml_parser import aml_parser
from azureml_jobs.protocol import PackagesVenv

if TYPE_CHECKING:
    from azureml_jobs.base.download import DownloadResult


class Jobs(Protocol):
    """The jobs of one workspace, here or in Azure."""

    def list(
        self, status: str | None, count: int | None, archived: bool
    ) -> list[dict[str, Any]]: ...

    def describe(self, name: str, whole: bool) -> dict[str, Any]:
        """What is known of a job; `whole` with every value of its metrics, `metric_history`."""

    def stream(self, name: str, out: BinaryIO) -> int: ...

    def cancel(self, name: str) -> str: ...

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult: ...

    def archive(self, name: str) -> None: ...


STATUS_COLOURS = {job_status.COMPLETED: GREEN, job_status.FAILED: RED, job_status.CANCELED: YELLOW}
# What the plugin puts before the user's arguments, where a workspace in Azure may be meant.
_AZURE = "--azure"
# These wait or copy for long, and Pants answers nobody else meanwhile.
_LONG = frozenset({"stream", "cancel", "download"})


def run_aml(arguments: Sequence[str]) -> int:
    azure = None
    if arguments[:1] == [_AZURE]:
        azure, arguments = PackagesVenv(arguments[1], arguments[2]), arguments[3:]
    options = aml_parser().parse_args(arguments)
    is_under_pants = options.repository is None
    repository = Path.cwd() if is_under_pants else options.repository
    if options.noun == "service":
        return _serve(azure, repository, is_under_pants, arguments, options)
    place = None if options.local else configured_workspace(repository, options.profile)
    # What talks to Azure is in a virtual environment of its own.
    if is_under_pants and (place is not None or options.command in _LONG):
        prefix = None
        if place is not None:
            from azureml_jobs.local.create_job import seeded_prefix

            prefix = seeded_prefix(azure, repository)
        return exec_after_pants(["workspace", "--repository", str(repository), *arguments], prefix)
    if options.noun == "jobs":
        return _JOB_COMMANDS[options.command](_jobs(place, repository, options), options)
    if options.noun == "data":
        from azureml_jobs.cli.data import run_data

        return run_data(place, repository, options)
    from azureml_jobs.azure.doctor import examine  # pants: no-infer-dep

    return examine(place, options.login)


def _serve(
    azure: PackagesVenv | None,
    repository: Path,
    is_under_pants: bool,
    arguments: Sequence[str],
    options: argparse.Namespace,
) -> int:
    if is_under_pants:
        from azureml_jobs.local.create_job import seeded_prefix

        return exec_after_pants(
            ["workspace", "--repository", str(repository), *arguments],
            seeded_prefix(azure, repository),
        )
    from azureml_jobs.cli.standin import serve_standin

    return serve_standin(repository, options)


def _jobs(place: AzureWorkspace | None, repository: Path, options: argparse.Namespace) -> Jobs:
    if place is None:
        from azureml_jobs.local.local_jobs import LocalJobs

        return LocalJobs(repository / LOCAL_FOLDER)
    from azureml_jobs.azure.connected import ConnectedWorkspace  # pants: no-infer-dep
    from azureml_jobs.azure.jobs import AzureJobs  # pants: no-infer-dep

    return AzureJobs(ConnectedWorkspace(place, options.login))


def list_jobs(jobs: Jobs, options: argparse.Namespace) -> int:
    rows = jobs.list(options.status, options.max, options.archived)
    if options.json:
        _print_json(rows)
        return 0
    if not rows:
        if options.status:
            print(f"No job is {options.status}.")
        else:
            print("No jobs. Start one: ./pants run src/X:job")
        return 0
    header, *lines = table(
        ("name", "status", "experiment", "created", "duration"),
        [
            (
                row["name"],
                row["status"],
                row["experiment_name"],
                _moment(row["created"]),
                duration_text(row["duration"]),
            )
            for row in rows
        ],
        right=(4,),
    )
    print(coloured(header, BOLD))
    at = header.index("status")
    for row, line in zip(rows, lines):
        status = row["status"]
        shown = coloured(status, STATUS_COLOURS.get(status, BOLD))
        print(f"{line[:at]}{shown}{line[at + len(status):]}")
    return 0


def show_job(jobs: Jobs, options: argparse.Namespace) -> int:
    job = jobs.describe(options.name, whole=options.json)
    if options.json:
        _print_json(job)
        return 0
    status = job["status"]
    print(f"{coloured(job['name'], BOLD)}  {coloured(status, STATUS_COLOURS.get(status, BOLD))}")
    facts = [
        ("experiment", job["experiment_name"]),
        ("display name", job["display_name"]),
        ("target", job["address"]),
        ("created", _moment(job["created"])),
        ("duration", duration_text(job["duration"])),
        ("exit status", "" if job["exit_code"] is None else str(job["exit_code"])),
        ("error", job["error"] or ""),
        ("command", job["command"].strip()),
        ("compute", job.get("compute", "")),
        # Jobs in Azure ML have none.
        ("runtime", ", ".join(filter(None, (job.get("runtime"), _image_of(job))))),
        ("log", _shown(job["log"])),
        ("folder", _shown(job["folder"])),
    ]
    for key, value in facts:
        if value:
            print(f"  {key:<13} {value}")
    for title, values in (
        ("parameters", job["params"]),
        ("metrics", job["metrics"]),
        ("tags", {k: v for k, v in job["tags"].items() if not k.startswith("mlflow.")}),
        ("outputs", {name: _shown(path) for name, path in job["outputs"].items()}),
    ):
        if values:
            print(f"\n{coloured(title, BOLD)}")
            width = max(len(key) for key in values)
            for key, value in sorted(values.items()):
                shown = f"{value:.6g}" if isinstance(value, float) else value
                print(f"  {key:<{width}}  {shown}")
    if job["artifacts"]:
        print(f"\n{coloured('artifacts', BOLD)}")
        for name in job["artifacts"]:
            print(f"  {name}")
    return 0


def stream_job(jobs: Jobs, options: argparse.Namespace) -> int:
    return jobs.stream(options.name, sys.stdout.buffer)


def cancel_job(jobs: Jobs, options: argparse.Namespace) -> int:
    print(f"{options.name} {jobs.cancel(options.name)}")
    return 0


def download_job(jobs: Jobs, options: argparse.Namespace) -> int:
    destination = options.path or Path(options.name)
    done = jobs.download(options.name, destination, options.output_name)
    for name in done.left_out:
        print_warning(
            f"{name} is left out: it went away, or changed all the time, while it was copied"
        )
    found = f"{done.files} file{'' if done.files == 1 else 's'} in {destination}"
    print(found if done.is_final else f"{found}, as they are now: the job is {done.status}")
    return 0


def archive_job(jobs: Jobs, options: argparse.Namespace) -> int:
    jobs.archive(options.name)
    print(f"{options.name} is archived: `jobs list --archived` still shows it")
    return 0


_JOB_COMMANDS = {
    "list": list_jobs,
    "show": show_job,
    "stream": stream_job,
    "cancel": cancel_job,
    "download": download_job,
    "archive": archive_job,
}


def _image_of(job: Mapping[str, Any]) -> str | None:
    container = job.get("container")
    return container["image"] if container else None


def _shown(path: str) -> str:
    """A path as a person would write it: relative to the working folder if it is inside."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def _moment(text: str) -> str:
    """A moment of a record in the user's own time zone, to the second."""
    from datetime import datetime

    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))

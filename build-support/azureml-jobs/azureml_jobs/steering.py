"""`./pants run :aml -- …`: the commands to look at jobs and to steer them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Sequence

from azureml_jobs.console import BOLD, GREEN, RED, YELLOW, coloured, duration_text, table
from azureml_jobs.destination import LOCAL_FOLDER
from azureml_jobs.handover import continue_as
from azureml_jobs.local import record
from azureml_jobs.local.workspace import LocalWorkspace

# In the order in which a job goes through them.
STATUSES = (
    *(record.NOT_STARTED, record.PREPARING, record.RUNNING, record.CANCEL_REQUESTED),
    *(record.COMPLETED, record.FAILED, record.CANCELED),
)
STATUS_COLOURS = {record.COMPLETED: GREEN, record.FAILED: RED, record.CANCELED: YELLOW}


def steer(arguments: Sequence[str]) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.repository is None:
        options.repository = Path.cwd()
        # These wait or copy for long, and Pants answers nobody else meanwhile.
        if options.command in ("stream", "cancel", "download"):
            return continue_as(["workspace", "--repository", str(options.repository), *arguments])
    workspace = LocalWorkspace(options.repository / LOCAL_FOLDER)
    commands = {
        "list": list_jobs,
        "show": show_job,
        "stream": stream_job,
        "cancel": cancel_job,
        "download": download_job,
    }
    return commands[options.command](workspace, options)


class _ExactParser(argparse.ArgumentParser):
    """Takes no abbreviated options; parsers of subcommands are of the class of their parent."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)


def _parser() -> argparse.ArgumentParser:
    parser = _ExactParser(
        prog="./pants run :aml --",
        description="Look at the jobs of the workspace, and steer them.",
    )
    # Where the command goes on after Pants has answered, the working folder is the user's.
    parser.add_argument("--repository", type=Path, help=argparse.SUPPRESS)
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="jobs")
    jobs = nouns.add_parser("jobs", help="jobs that ran or are running")
    commands = jobs.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", help="list the jobs, newest first")
    listing.add_argument(
        "--status", type=_status, metavar="STATUS", help="only jobs in this state, e.g. Failed"
    )
    listing.add_argument(
        "--max", type=_count, default=None, metavar="N", help="at most N jobs (default: all)"
    )
    listing.add_argument("--json", action="store_true", help="print JSON")

    show = commands.add_parser("show", help="show one job with its parameters and metrics")
    show.add_argument("name")
    show.add_argument("--json", action="store_true", help="print JSON, with whole curves")

    stream = commands.add_parser(
        "stream", help="follow a job's log; ends with the job's own status"
    )
    stream.add_argument("name")

    cancel = commands.add_parser("cancel", help="end a job; it may clean up first")
    cancel.add_argument("name")

    download = commands.add_parser("download", help="copy a job's logs, outputs and artifacts")
    download.add_argument("name")
    download.add_argument("--output-name", metavar="OUTPUT", help="only this named output")
    download.add_argument(
        "--path", type=Path, help="a folder that does not exist yet (default: ./NAME)"
    )
    return parser


def list_jobs(workspace: LocalWorkspace, options: argparse.Namespace) -> int:
    from azureml_jobs.local.describe import summary

    rows = [summary(job) for job in workspace.jobs()]
    if options.status:
        rows = [row for row in rows if row["status"] == options.status]
    rows = rows[: options.max]
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


def show_job(workspace: LocalWorkspace, options: argparse.Namespace) -> int:
    from azureml_jobs.local.describe import describe

    job = describe(workspace.job(options.name))
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


def stream_job(workspace: LocalWorkspace, options: argparse.Namespace) -> int:
    from azureml_jobs.local.jobs import stream

    return stream(workspace.job(options.name), sys.stdout.buffer)


def cancel_job(workspace: LocalWorkspace, options: argparse.Namespace) -> int:
    from azureml_jobs.local.jobs import cancel

    ended = cancel(workspace.job(options.name))
    print(f"{ended.name} {ended.status}")
    return 0


def download_job(workspace: LocalWorkspace, options: argparse.Namespace) -> int:
    from azureml_jobs.local.download import download

    destination = options.path or Path(options.name)
    files = download(workspace.job(options.name), destination, options.output_name)
    print(f"{len(files)} file{'' if len(files) == 1 else 's'} in {destination}")
    return 0


def _status(text: str) -> str:
    """The status that is written like `text` but for capitals."""
    named = {status.lower(): status for status in STATUSES}
    if text.lower() not in named:
        raise argparse.ArgumentTypeError(f"no such status: {text}. There are {', '.join(STATUSES)}")
    return named[text.lower()]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number of jobs: {text}. Write 1 or more")
    return int(text)


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

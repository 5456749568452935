"""Define the command line of `./pants run :aml -- jobs …`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status
from azureml_jobs.cli.options import add_command, count

# All of Azure ML (`RunHistoryConstants` of azure-ai-ml), in the order in which a job passes through
# them. Jobs on this machine have some of them.
STATUSES = (
    *(job_status.NOT_STARTED, "Starting", "Provisioning", job_status.PREPARING, "Queued"),
    *(job_status.RUNNING, "Finalizing", job_status.CANCEL_REQUESTED),
    *(job_status.COMPLETED, job_status.FAILED, job_status.CANCELED, "NotResponding", "Paused"),
)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    _add_list(commands)
    _add_show(commands)
    _add_compare(commands)
    _add_diff(commands)
    _add_logs(commands)
    _add_download(commands)
    _add_again(commands)
    _add_name(add_command(commands, "cancel", "cancel a job, which can clean up first"))
    _add_name(add_command(commands, "archive", "hide a job in lists"))


def _add_list(commands: Any) -> None:
    listing = add_command(commands, "list", "list the jobs, newest first")
    listing.add_argument(
        "--status", type=_status, metavar="STATUS", help="only jobs in this state, e.g. Failed"
    )
    listing.add_argument("--experiment", metavar="NAME", help="only jobs of this experiment")
    listing.add_argument(
        "--max",
        type=count,
        default=None,
        metavar="N",
        help="at most N jobs (default: all on this machine, 100 in Azure)",
    )
    listing.add_argument("--archived", action="store_true", help="include archived jobs")
    _add_json(listing)


def _add_show(commands: Any) -> None:
    show = add_command(
        commands,
        "show",
        "show how a job ended, its metrics and outputs, and what differs from the one before it",
    )
    _add_name(show)
    _add_step(show)
    _add_json(show, ", with all values of metrics")


def _add_compare(commands: Any) -> None:
    compare = add_command(
        commands, "compare", "compare jobs, or all trials of a sweep, by parameters and metrics"
    )
    compare.add_argument(
        "names", nargs="*", metavar="NAME", help="two jobs or more, or one sweep or pipeline"
    )
    compare.add_argument(
        "--experiment", metavar="NAME", help="in addition the newest 100 jobs of this experiment"
    )
    compare.add_argument("--sort-by", metavar="METRIC", help="the lowest value of it comes first")
    compare.add_argument(
        "--plot",
        metavar="METRIC",
        help="draw its curves: small here, and as a figure in .azureml/downloads/METRIC.png",
    )
    _add_json(compare)


def _add_diff(commands: Any) -> None:
    diff = add_command(
        commands,
        "diff",
        "show what is different between two jobs: code, packages, image, inputs, data, metrics",
    )
    diff.add_argument("a", metavar="A", help="the name of a job")
    diff.add_argument("b", metavar="B", help="the name of another one")
    _add_json(diff)


def _add_logs(commands: Any) -> None:
    stream = add_command(
        commands, "stream", "follow the logs of a job; the exit status is the job's"
    )
    logs = add_command(commands, "logs", "print what a job has printed so far")
    logs.add_argument("--tail", type=count, metavar="N", help="only the last N lines")
    for command in (stream, logs):
        _add_name(command)
        _add_step(command)


def _add_download(commands: Any) -> None:
    download = add_command(
        commands, "download", "copy a job's logs, outputs and artifacts, even while it runs"
    )
    _add_name(download)
    _add_step(download)
    download.add_argument("--output-name", metavar="OUTPUT", help="copy only this output")
    download.add_argument(
        "--path",
        type=Path,
        metavar="FOLDER",
        help="a new or empty folder (default: .azureml/downloads/NAME, which git ignores)",
    )


def _add_again(commands: Any) -> None:
    reproduce = add_command(
        commands,
        "reproduce",
        "run exactly what a job ran, where it ran unless an option names another place, and "
        "compare the results; the exit status is 0 if they are the same",
    )
    how = reproduce.add_mutually_exclusive_group()
    how.add_argument(
        "--check-only",
        action="store_true",
        help="rebuild what ran, compare it byte for byte, and run nothing",
    )
    how.add_argument(
        "--as-now",
        action="store_true",
        help="run today's code with that job's inputs and arguments",
    )
    rerun = add_command(commands, "rerun", "the same as `reproduce --as-now`")
    rerun.set_defaults(command="reproduce", as_now=True, check_only=False)
    for command in (reproduce, rerun):
        _add_name(command)


def _add_name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the job's name, as `jobs list` prints it")


def _add_step(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--step",
        metavar="STEP",
        help="a step of a pipeline or a trial of a sweep, as `jobs show NAME` prints it: "
        "train, 3, outer/inner",
    )


def _add_json(command: argparse.ArgumentParser, more: str = "") -> None:
    command.add_argument("--json", action="store_true", help=f"print JSON{more}")


def _status(text: str) -> str:
    """Return the status that `text` names in upper or lower case."""
    named = {status.lower(): status for status in STATUSES}
    if text.lower() not in named:
        raise argparse.ArgumentTypeError(f"no such status: {text}. Valid: {', '.join(STATUSES)}")
    return named[text.lower()]

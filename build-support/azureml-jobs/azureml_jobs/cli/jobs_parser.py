"""Define the command line of `./pants run :aml -- jobs …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from azureml_jobs.base import job_status
from azureml_jobs.cli.arguments import add_command, count

# In the order in which a job passes through them.
STATUSES = (
    job_status.NOT_STARTED,
    job_status.PREPARING,
    job_status.RUNNING,
    job_status.CANCEL_REQUESTED,
    job_status.COMPLETED,
    job_status.FAILED,
    job_status.CANCELED,
)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    listing = add_command(commands, "list", "list the jobs, newest first")
    listing.add_argument(
        "--status", type=_status, metavar="STATUS", help="only jobs in this state, e.g. Failed"
    )
    listing.add_argument(
        "--max",
        type=count,
        default=None,
        metavar="N",
        help="at most N jobs (default: all on this machine, 100 in Azure)",
    )
    listing.add_argument("--archived", action="store_true", help="include archived jobs")
    listing.add_argument("--json", action="store_true", help="print JSON")

    show = add_command(commands, "show", "show one job with its parameters, metrics and artifacts")
    compare = add_command(
        commands, "compare", "compare jobs, or all trials of a sweep, by parameters and metrics"
    )
    compare.add_argument(
        "names", nargs="+", metavar="NAME", help="two jobs or more, or one sweep or pipeline"
    )
    compare.add_argument("--sort-by", metavar="METRIC", help="the lowest value of it comes first")
    compare.add_argument("--json", action="store_true", help="print JSON")
    stream = add_command(
        commands, "stream", "follow the logs of a job; the exit status is the job's"
    )
    cancel = add_command(commands, "cancel", "cancel a job, which can clean up first")
    download = add_command(
        commands, "download", "copy a job's logs, outputs and artifacts, even while it runs"
    )
    archive = add_command(commands, "archive", "hide a job in lists")
    for command in (show, stream, cancel, download, archive):
        command.add_argument(
            "name", metavar="NAME", help="the job's name, as `jobs list` prints it"
        )
    for command in (show, stream, download):
        command.add_argument(
            "--step",
            metavar="STEP",
            help="a step of a pipeline or a trial of a sweep, as `jobs show NAME` prints it: "
            "train, 3, outer/inner",
        )
    show.add_argument("--json", action="store_true", help="print JSON, with all values of metrics")
    download.add_argument("--output-name", metavar="OUTPUT", help="copy only this output")
    download.add_argument(
        "--path",
        type=Path,
        metavar="FOLDER",
        help="a new or empty folder (default: ./NAME)",
    )


def _status(text: str) -> str:
    """Return the status that `text` names in upper or lower case."""
    named = {status.lower(): status for status in STATUSES}
    if text.lower() not in named:
        raise argparse.ArgumentTypeError(f"no such status: {text}. Valid: {', '.join(STATUSES)}")
    return named[text.lower()]

"""The command line of `./pants run :aml -- …`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from azureml_jobs.local import record
from azureml_jobs.submission_options import add_workspace_options

# In the order in which a job goes through them.
STATUSES = (
    *(record.NOT_STARTED, record.PREPARING, record.RUNNING, record.CANCEL_REQUESTED),
    *(record.COMPLETED, record.FAILED, record.CANCELED),
)


class _ExactParser(argparse.ArgumentParser):
    """Takes no abbreviated options; parsers of subcommands are of the class of their parent."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)


def steering_parser() -> argparse.ArgumentParser:
    parser = _ExactParser(
        prog="./pants run :aml --",
        description="Look at the jobs of the workspace, and steer them.",
    )
    # Where the command goes on after Pants has answered, the working folder is the user's.
    parser.add_argument("--repository", type=Path, help=argparse.SUPPRESS)
    place = _ExactParser(add_help=False)
    add_workspace_options(place)
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="jobs|data|doctor|service")
    jobs = nouns.add_parser("jobs", help="jobs that ran or are running")
    commands = jobs.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", parents=[place], help="list the jobs, newest first")
    listing.add_argument(
        "--status", type=_status, metavar="STATUS", help="only jobs in this state, e.g. Failed"
    )
    listing.add_argument(
        "--max",
        type=_count,
        default=None,
        metavar="N",
        help="at most N jobs (default: all on this machine, 100 in Azure)",
    )
    listing.add_argument("--archived", action="store_true", help="archived jobs as well")
    listing.add_argument("--json", action="store_true", help="print JSON")

    show = commands.add_parser(
        "show", parents=[place], help="show one job with its parameters and metrics"
    )
    show.add_argument("name")
    show.add_argument("--json", action="store_true", help="print JSON, with whole curves")

    stream = commands.add_parser(
        "stream",
        parents=[place],
        help="follow a job's log; ends with the job's own status",
    )
    stream.add_argument("name")

    cancel = commands.add_parser("cancel", parents=[place], help="end a job; it may clean up first")
    cancel.add_argument("name")

    download = commands.add_parser(
        "download",
        parents=[place],
        help="copy a job's logs, outputs and artifacts, also while it runs",
    )
    download.add_argument("name")
    download.add_argument("--output-name", metavar="OUTPUT", help="only this named output")
    download.add_argument(
        "--path", type=Path, help="a folder that does not exist yet (default: ./NAME)"
    )

    archive = commands.add_parser("archive", parents=[place], help="leave a job out of lists")
    archive.add_argument("name")
    _add_data(nouns.add_parser("data", help="data assets: azureml:NAME:VERSION"), place)
    nouns.add_parser(
        "doctor", parents=[place], help="check configuration, sign-in and workspace"
    ).set_defaults(command="doctor")
    _add_service(nouns.add_parser("service", help="a stand-in for Azure ML on this machine"))
    return parser


def _add_data(parser: argparse.ArgumentParser, place: _ExactParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", parents=[place], help="list data assets")
    listing.add_argument("--json", action="store_true", help="print JSON")

    register = commands.add_parser(
        "register", parents=[place], help="make a data asset of local files, or of an address"
    )
    register.add_argument("name")
    register.add_argument(
        "--path", required=True, help="a file, a folder, or an address: azureml://… or https://…"
    )
    register.add_argument("--version", help="default: the number after the newest one")
    register.add_argument("--type", choices=("uri_file", "uri_folder", "mltable"))

    download = commands.add_parser(
        "download",
        parents=[place],
        help="fetch a data asset to data/NAME/VERSION, where local runs find it",
    )
    download.add_argument("asset", metavar="NAME[:VERSION]")


def _status(text: str) -> str:
    """The status that is written like `text` but for capitals."""
    named = {status.lower(): status for status in STATUSES}
    if text.lower() not in named:
        raise argparse.ArgumentTypeError(f"no such status: {text}. There are {', '.join(STATUSES)}")
    return named[text.lower()]


def _add_service(service: argparse.ArgumentParser) -> None:
    service.description = (
        "Run a stand-in for Azure ML on this machine, which runs the jobs that it takes, until "
        "Ctrl-C; or for as long as a command runs that finds it by its environment variables."
    )
    service.add_argument(
        "--port", type=_port, default=0, metavar="N", help="listen on it (default: a free one)"
    )
    service.add_argument(
        "--python",
        metavar="PREFIX",
        help="run jobs in this virtual environment (default: one with the packages of each job)",
    )
    service.add_argument(
        "--jobs-at-once", type=_count, default=2, metavar="N", help="default: %(default)s"
    )
    service.add_argument(
        "--storage",
        choices=("auto", "azurite", "in-process"),
        default="auto",
        help="what keeps the blobs (default: Azurite where it is installed)",
    )
    service.add_argument(
        "inner_command", nargs="*", metavar="COMMAND", help="behind `--`: what to run meanwhile"
    )
    service.set_defaults(command="service")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"not a port: {text}. Write 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number of jobs: {text}. Write 1 or more")
    return int(text)

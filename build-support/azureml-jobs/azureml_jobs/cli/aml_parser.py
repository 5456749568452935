"""The command line of `./pants run :aml -- …`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status
from azureml_jobs.cli.job_options import add_workspace_options

# In the order in which a job goes through them.
STATUSES = (
    *(
        job_status.NOT_STARTED,
        job_status.PREPARING,
        job_status.RUNNING,
        job_status.CANCEL_REQUESTED,
    ),
    *(job_status.COMPLETED, job_status.FAILED, job_status.CANCELED),
)


class _ExactParser(argparse.ArgumentParser):
    """Takes no abbreviated options; parsers of subcommands are of the class of their parent."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)


def aml_parser() -> argparse.ArgumentParser:
    parser = _ExactParser(
        prog="./pants run :aml --",
        description="Steer jobs and data: of the workspace in Azure that config.env names, or of "
        "this machine where it names none.",
    )
    # Where the command goes on after Pants has answered, the working folder is the user's.
    parser.add_argument("--repository", type=Path, help=argparse.SUPPRESS)
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="jobs|data|doctor|service")
    _add_jobs(nouns.add_parser("jobs", help="jobs that ran or are running"))
    _add_data(nouns.add_parser("data", help="data assets: azureml:NAME:VERSION"))
    _add_command(
        nouns,
        "doctor",
        "check configuration, sign-in, workspace, computes, storage, registry and versions",
    ).set_defaults(command="doctor")
    _add_service(nouns.add_parser("service", help="a stand-in for Azure ML on this machine"))
    return parser


def _add_command(commands: Any, name: str, does: str) -> argparse.ArgumentParser:
    """A command that goes to a workspace, and says in its own help what it does."""
    description = f"{does[0].upper()}{does[1:]}."
    command: argparse.ArgumentParser = commands.add_parser(name, help=does, description=description)
    add_workspace_options(command)
    return command


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    listing = _add_command(commands, "list", "list the jobs, newest first")
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

    show = _add_command(commands, "show", "show one job with its parameters, metrics and artifacts")
    stream = _add_command(
        commands, "stream", "follow the logs of a job; ends with the job's own status"
    )
    cancel = _add_command(commands, "cancel", "end a job; it may clean up first")
    download = _add_command(
        commands, "download", "copy a job's logs, outputs and artifacts, also while it runs"
    )
    archive = _add_command(commands, "archive", "leave a job out of lists")
    for command in (show, stream, cancel, download, archive):
        command.add_argument("name", metavar="NAME", help="the job's name, as `jobs list` has it")
    show.add_argument("--json", action="store_true", help="print JSON, with whole curves")
    download.add_argument("--output-name", metavar="OUTPUT", help="only this named output")
    download.add_argument(
        "--path",
        type=Path,
        metavar="FOLDER",
        help="a folder that does not exist yet, or is empty (default: ./NAME)",
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    listing = _add_command(commands, "list", "list data assets")
    listing.add_argument("--json", action="store_true", help="print JSON")

    register = _add_command(
        commands, "register", "make a data asset of local files, or of an address"
    )
    register.add_argument("name", metavar="NAME", help="the asset's name")
    register.add_argument(
        "--path",
        required=True,
        metavar="PLACE",
        help="a file, a folder, or an address: azureml://… or https://…",
    )
    register.add_argument(
        "--version", metavar="VERSION", help="default: the number after the newest one"
    )
    register.add_argument(
        "--type",
        choices=("uri_file", "uri_folder", "mltable"),
        help="default: whether the place is a file or a folder",
    )

    download = _add_command(
        commands, "download", "fetch a data asset to data/NAME/VERSION, where local runs find it"
    )
    download.add_argument(
        "asset", metavar="NAME[:VERSION]", help="without a version, or with @latest: the newest"
    )


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

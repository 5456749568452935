"""Define the command line of `./pants run :aml -- jobs …`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status
from azureml_jobs.cli.options import JSON, add_arguments, add_command, argument, count

# All of Azure ML (`RunHistoryConstants` of azure-ai-ml), in the order in which a job passes through
# them. Jobs on this machine have some of them.
STATUSES = (
    *(job_status.NOT_STARTED, "Starting", "Provisioning", job_status.PREPARING, "Queued"),
    *(job_status.RUNNING, "Finalizing", job_status.CANCEL_REQUESTED),
    *(job_status.COMPLETED, job_status.FAILED, job_status.CANCELED, "NotResponding", "Paused"),
)
_NAME = argument("NAME", "the job's name, as `jobs list` prints it")
_STEP = argument(
    "--step STEP",
    "a step of a pipeline or a trial of a sweep, as `jobs show NAME` prints it: train, 3, "
    "outer/inner",
)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(
        commands,
        "list",
        "list the jobs, newest first",
        argument("--status STATUS", "only jobs in this state, e.g. Failed", type=_status),
        argument("--experiment NAME", "only jobs of this experiment"),
        argument(
            "--max N", "at most N jobs (default: all on this machine, 100 in Azure)", type=count
        ),
        argument("--archived", "include archived jobs"),
        JSON,
    )
    add_command(
        commands,
        "show",
        "show how a job ended, its metrics and outputs, and what differs from the one before it",
        *(_NAME, _STEP, argument("--json", "print JSON, with all values of metrics")),
    )
    add_command(
        commands,
        "compare",
        "compare jobs, or all trials of a sweep, by parameters and metrics",
        argument("NAME", "two jobs or more, or one sweep or pipeline", nargs="*", dest="names"),
        argument("--experiment NAME", "in addition the newest 100 jobs of this experiment"),
        argument("--sort-by METRIC", "the lowest value of it comes first"),
        argument(
            "--plot METRIC",
            "draw its curves: small here, and as a figure in .azureml/downloads/METRIC.png",
        ),
        JSON,
    )
    add_command(
        commands,
        "diff",
        "show what is different between two jobs: code, packages, image, inputs, data, metrics",
        *(argument("A", "the name of a job"), argument("B", "the name of another one"), JSON),
    )
    follow = "follow the logs of a job; the exit status is the job's"
    add_command(commands, "stream", follow, _NAME, _STEP)
    tail = argument("--tail N", "only the last N lines", type=count)
    add_command(commands, "logs", "print what a job has printed so far", tail, _NAME, _STEP)
    add_command(
        commands,
        "download",
        "copy a job's logs, outputs and artifacts, even while it runs",
        *(_NAME, _STEP, argument("--output-name OUTPUT", "copy only this output")),
        argument(
            "--path FOLDER",
            "a new or empty folder (default: .azureml/downloads/NAME, which git ignores)",
            type=Path,
        ),
    )
    _add_again(commands)
    add_command(commands, "cancel", "cancel a job, which can clean up first", _NAME)
    add_command(commands, "archive", "hide a job in lists", _NAME)


def _add_again(commands: Any) -> None:
    reproduce = add_command(
        commands,
        "reproduce",
        "run exactly what a job ran, where it ran unless an option names another place, and "
        "compare the results; the exit status is 0 if they are the same",
    )
    how = reproduce.add_mutually_exclusive_group()
    check = "rebuild what ran, compare it byte for byte, and run nothing"
    how.add_argument("--check-only", action="store_true", help=check)
    as_now = "run today's code with that job's inputs and arguments"
    how.add_argument("--as-now", action="store_true", help=as_now)
    add_arguments(reproduce, _NAME)
    rerun = add_command(commands, "rerun", "the same as `reproduce --as-now`", _NAME)
    rerun.set_defaults(command="reproduce", as_now=True, check_only=False)


def _status(text: str) -> str:
    """Return the status that `text` names in upper or lower case."""
    named = {status.lower(): status for status in STATUSES}
    if text.lower() not in named:
        raise argparse.ArgumentTypeError(f"no such status: {text}. Valid: {', '.join(STATUSES)}")
    return named[text.lower()]

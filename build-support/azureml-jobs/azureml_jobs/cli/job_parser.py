"""Define the command line of `./pants run src/X:job -- …`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest
from azureml_jobs.bundle.plan import read_document
from azureml_jobs.cli.options import (
    add_allow_option,
    add_setting_options,
    add_submit_options,
    add_workspace_options,
    tag_error,
)
from azureml_jobs.local.runtimes import RUNTIMES
from azureml_jobs.protocol import JobRequest


def job_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./pants run …:job --",
        description="Run a job: in the workspace that config.env names, or else on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY.PATH=VALUE",
        dest="settings",
        help="override a value of the job file, e.g. inputs.epochs=20; may be repeated",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be sent, and send nothing"
    )
    parser.add_argument("--json", action="store_true", help="print --dry-run as JSON")
    parser.add_argument(
        "--same-as",
        type=Path,
        metavar="FOLDER",
        help="run it only if it is what the bundle in FOLDER is, byte for byte; with --dry-run, "
        "only compare",
    )
    add_allow_option(parser)
    add_workspace_options(parser)
    add_setting_options(parser)
    add_submit_options(parser)
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        help="where a job runs on this machine: in the image of its environment, or in a virtual "
        "environment (default: the option `[azureml].runtime`)",
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="run every step of a pipeline on this machine, also those that completed before with "
        "the same code, environment and inputs",
    )
    parser.add_argument(
        "--jobs-at-once",
        type=_positive,
        metavar="N",
        help="how many steps or trials run at a time on this machine (default: one for each CPU)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="what a sweep on this machine samples with, if its job file has no seed (default: a "
        "number that is drawn, and recorded)",
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="follow the job until it ends; a run on this machine is always followed",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def parse_job_options(given: Sequence[str], request: Path) -> argparse.Namespace:
    """Return the options; `request` is the file that has the plugin's message about the job."""
    parser = job_parser()
    options, unknown = parser.parse_known_args(given)
    tag = next((each for each in options.tags if "=" not in each), None)
    if tag and unknown and not unknown[0].startswith("-"):
        raise tag_error(tag, unknown[0])
    if unknown:
        raise _unknown_words(unknown, parser, _inputs(request))
    if options.json and not options.dry_run:
        parser.error("--json goes with --dry-run")
    if options.local and options.profile:
        parser.error("--local and --profile exclude each other")
    return options


def _unknown_words(
    words: Sequence[str], parser: argparse.ArgumentParser, inputs: Sequence[str]
) -> JobError:
    """Return the error for what is no option, with the one that is probably meant."""
    word, *after = words
    key, equals, value = word.partition("=")
    if not equals and after and not after[0].startswith("-"):
        value = after[0]
    plain = {name.replace("_", "-"): name for name in inputs}
    name = plain.get(key.removeprefix("--").removeprefix("inputs.").replace("_", "-"))
    options = [each for action in parser._actions for each in action.option_strings]
    close = nearest(key, options) if key.startswith("--") else None
    if name is not None:
        remedy = f"Write `--set inputs.{name}={value or 'VALUE'}`."
    elif equals and not key.startswith("-"):
        remedy = f"Write `--set {word}`."
    elif close is not None:
        remedy = f"Did you mean `{close}`?"
    else:
        remedy = "A value of the job file is set by `--set KEY.PATH=VALUE`, such as an input by\n"
        remedy += "`--set inputs.NAME=VALUE`. All options: `--help`."
    return JobError(word, "a job has no such option", remedy)


def _inputs(request: Path) -> list[str]:
    """Return the names of the job's inputs, as far as its file can be read."""
    try:
        job_file = JobRequest.read(request).job_file
        inputs = read_document(job_file, request.parent).get("inputs")
    except (JobError, OSError, UnicodeDecodeError):
        return []
    return [str(name) for name in inputs] if isinstance(inputs, Mapping) else []

"""Define the command line of `./pants run src/X:job -- …`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest
from azureml_jobs.bundle.plan import read_document
from azureml_jobs.cli.options import (
    ALLOW,
    SETTINGS,
    WORKSPACE,
    ExactParser,
    add_arguments,
    argument,
    count,
    tag_error,
)
from azureml_jobs.jobfile.sweep.read import SEEDS
from azureml_jobs.local.runtimes import RUNTIMES
from azureml_jobs.protocol import JobRequest


def job_parser() -> argparse.ArgumentParser:
    parser = ExactParser(
        prog="./pants run …:job --",
        description="Run a job: in the workspace that config.env names, or else on this machine.",
    )
    add_arguments(
        parser,
        argument(
            "--set KEY.PATH=VALUE",
            "override a value of the job file, e.g. inputs.epochs=20; may be repeated",
            many=True,
            dest="settings",
        ),
        argument("--dry-run", "print what would be sent, and send nothing"),
        argument("--json", "print --dry-run as JSON"),
        argument(
            "--same-as FOLDER",
            "run it only if it is what the bundle in FOLDER is, byte for byte; with --dry-run, "
            "only compare",
            type=Path,
        ),
        ALLOW,
        *(*WORKSPACE, *SETTINGS),
        argument(
            "--image",
            "push the image that this machine has built to the workspace's registry, and run the "
            "job in it; otherwise Azure ML builds the environment",
        ),
        argument("--web", "open the job in the studio"),
        argument("--timings", "print how long each part of the submission took"),
        argument(
            "--runtime",
            "where a job runs on this machine: in the image of its environment, or in a virtual "
            "environment (default: the option `[azureml].runtime`)",
            choices=RUNTIMES,
        ),
        argument(
            "--no-cache",
            "run every step of a pipeline on this machine, also those that completed before with "
            "the same code, environment and inputs",
        ),
        argument(
            "--jobs-at-once N",
            "how many steps or trials run at a time on this machine (default: one for each CPU)",
            type=count,
        ),
        argument(
            "--seed N",
            "what a sweep on this machine samples with, if its job file has no seed (default: a "
            "number that is drawn, and recorded)",
            type=_seed,
        ),
        argument(
            "--stream",
            "follow the job until it ends; a run on this machine is always followed",
        ),
    )
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) not in SEEDS:
        raise argparse.ArgumentTypeError(f"not a seed: {text}. Write 0 to {SEEDS[-1]}")
    return int(text)


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

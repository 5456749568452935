"""Define the options that commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError


def request_parser() -> argparse.ArgumentParser:
    """Return a parser of what the plugin adds to every command."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--request", type=Path, required=True)
    return parser


def add_workspace_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that may use a workspace in Azure."""
    parser.add_argument(
        "--local", action="store_true", help="use this machine whatever config.env says"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="use the workspace in config.NAME.env, not in config.env"
    )
    parser.add_argument(
        "--login", action="store_true", help="sign in with a browser, if nothing else works"
    )


def add_allow_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PATH",
        help="let pass what looks like a secret in this file or folder, or data outside of the "
        "repository: docs/security.md; may be repeated",
    )


def add_setting_options(parser: argparse.ArgumentParser) -> None:
    """Add short forms of `--set`."""
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="the job's name; with the same name and content, it stays the same job",
    )
    parser.add_argument("--experiment-name", metavar="NAME", help="the experiment it belongs to")
    parser.add_argument("--display-name", metavar="TEXT", help="the job's name in the studio")
    parser.add_argument("--compute", metavar="NAME", help="the cluster that runs it")
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="tags",
        help="a tag of the job; may be repeated",
    )


def add_submit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image",
        action="store_true",
        help="push the image that this machine has built to the workspace's registry, and run the "
        "job in it; otherwise Azure ML builds the environment",
    )
    parser.add_argument("--web", action="store_true", help="open the job in the studio")
    parser.add_argument(
        "--timings", action="store_true", help="print how long each part of the submission took"
    )


def tag_error(tag: str, value: str) -> JobError:
    return JobError(f"--tag {tag}", "a tag is a key with a value", f"Write `--tag {tag}={value}`.")


def as_settings(options: argparse.Namespace) -> list[str]:
    """Return the short forms as `key.path=value`."""
    settings = []
    for key in ("name", "experiment_name", "display_name"):
        if getattr(options, key) is not None:
            settings.append(f"{key}={getattr(options, key)}")
    if options.compute is not None:
        compute = options.compute
        is_name = ":" not in compute and "/" not in compute
        settings.append(f"compute={'azureml:' if is_name else ''}{compute}")
    for tag in options.tags:
        key, equals, value = tag.partition("=")
        if not equals:
            raise tag_error(tag, "VALUE")
        # A dot in a tag's key does not begin a level.
        escaped = key.replace(".", "\\.")
        settings.append(f"tags.{escaped}={value}")
    return settings


class ExactParser(argparse.ArgumentParser):
    """A parser without abbreviated options, and so are those of its subcommands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)


def add_command(commands: Any, name: str, does: str) -> argparse.ArgumentParser:
    """Add a command that uses a workspace; `does` is its help, too."""
    description = f"{does[0].upper()}{does[1:]}."
    command: argparse.ArgumentParser = commands.add_parser(name, help=does, description=description)
    add_workspace_options(command)
    return command


def port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"not a port: {text}. Write 1 to 65535")
    return int(text)


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number: {text}. Write 1 or more")
    return int(text)

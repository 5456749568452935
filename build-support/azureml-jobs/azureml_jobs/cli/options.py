"""Define arguments as their help shows them, and those that commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError

Argument = tuple[str, str | None, dict[str, Any]]


def argument(written: str, does: str | None, **settings: Any) -> Argument:
    """Return an argument that is written as `NAME`, `--flag` or `--option VALUE`.

    `does` is its help, `settings` are those of argparse; one with `many=True` may be repeated.
    """
    name, _, value = written.partition(" ")
    if settings.pop("many", False):
        settings.update(action="append", default=[])
    if not name.startswith("-"):
        name, value = settings.pop("dest", name.lower()), written
    if value:
        settings["metavar"] = value
    elif "choices" not in settings:
        settings["action"] = "store_true"
    return name, does, settings


def add_arguments(parser: argparse.ArgumentParser, *arguments: Argument) -> None:
    for name, does, settings in arguments:
        parser.add_argument(name, help=does, **settings)


JSON = argument("--json", "print JSON")
ALLOW = argument(
    "--allow PATH",
    "let pass what looks like a secret in this file or folder, or data outside of the repository: "
    "docs/security.md; may be repeated",
    many=True,
)
# Of every command that may use a workspace in Azure.
WORKSPACE = (
    argument("--local", "use this machine whatever config.env says"),
    argument("--profile NAME", "use the workspace in config.NAME.env, not in config.env"),
    argument("--login", "sign in with a browser, if nothing else works"),
)


class ExactParser(argparse.ArgumentParser):
    """A parser without abbreviated options, and so are those of its subcommands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)


def add_command(
    commands: Any, name: str, does: str, *arguments: Argument
) -> argparse.ArgumentParser:
    """Add a command that uses a workspace; `does` is its help, too."""
    description = f"{does[0].upper()}{does[1:]}."
    command: argparse.ArgumentParser = commands.add_parser(name, help=does, description=description)
    add_arguments(command, *WORKSPACE, *arguments)
    return command


def split_request(arguments: Sequence[str]) -> tuple[Path, Sequence[str]]:
    """Return the file with the plugin's message, which comes first, and what the user wrote."""
    _, request, *given = arguments
    return Path(request), given


def port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"not a port: {text}. Write 1 to 65535")
    return int(text)


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number: {text}. Write 1 or more")
    return int(text)


# Short forms of `--set`.
SETTINGS = (
    argument(
        "--name NAME", "the job's name; with the same name and content, it stays the same job"
    ),
    argument("--experiment-name NAME", "the experiment it belongs to"),
    argument("--display-name TEXT", "the job's name in the studio"),
    argument("--compute NAME", "the cluster that runs it"),
    argument("--tag KEY=VALUE", "a tag of the job; may be repeated", many=True, dest="tags"),
)


def tag_error(tag: str, value: str) -> JobError:
    return JobError(f"--tag {tag}", "a tag is a key with a value", f"Write `--tag {tag}={value}`.")


def as_settings(options: argparse.Namespace) -> list[str]:
    """Return the short forms as `key.path=value`."""
    keys = ("name", "experiment_name", "display_name")
    settings = [
        f"{key}={getattr(options, key)}" for key in keys if getattr(options, key) is not None
    ]
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

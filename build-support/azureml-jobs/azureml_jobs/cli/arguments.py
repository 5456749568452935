"""Parts that the command lines of `./pants run :aml -- …` share."""

from __future__ import annotations

import argparse
from typing import Any

from azureml_jobs.cli.job_options import add_workspace_options


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

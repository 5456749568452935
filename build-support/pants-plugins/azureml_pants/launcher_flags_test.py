"""The launcher knows which flags are for Pants, and which for what runs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.cli.aml_parser import aml_parser
from azureml_jobs.cli.job_parser import job_parser
from pants.core.goals.run import RunSubsystem
from pants.option.global_options import BootstrapOptions, GlobalOptions
from pants.option.option_types import collect_options_info

HABITS = next(
    path
    for folder in Path(__file__).resolve().parents
    if (path := folder / "build-support/bootstrap/habits.sh").is_file()
)


def listed(name: str) -> set[str]:
    found = re.search(rf'^{name}="([^"]*)"', HABITS.read_text(encoding="utf-8"), re.MULTILINE)
    return set(found[1].split()) if found else set()


def flags_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            yield from (each[2:] for each in action.option_strings if each.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from flags_of(inner)


def test_the_launcher_knows_the_flags_of_pants_and_those_of_what_runs() -> None:
    own = {*flags_of(aml_parser()), *flags_of(job_parser())}
    names = {
        flag.removeprefix("--")
        for options in (BootstrapOptions, GlobalOptions, RunSubsystem)
        for each in collect_options_info(options)
        for flag in each.flag_names
        if flag.startswith("--")
    }
    # Pants reads these two itself.
    assert listed("HABITS_PANTS_FLAGS") == {each for each in names if "-" not in each} | {
        "help",
        "version",
    }
    of_several_words = {flag for flag in own if "-" in flag}
    assert listed("HABITS_OWN_FLAGS") == of_several_words
    assert not of_several_words & names

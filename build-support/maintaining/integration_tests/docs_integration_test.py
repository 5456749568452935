"""Test that the commands in README and docs succeed, and print what the pages show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from azureml_jobs.docker.conftest import needs_engine
from documents import NEEDS_DOCKER, Block, commands_run_by, first_not_printed, marked
from example import JOB
from images import BASE_IMAGE
from scratch import Scratch

# Pants' own progress, which may appear between the lines of a command.
PROGRESS = re.compile(r"^\d\d:\d\d:\d\d\.\d\d \[.*\n|  ?\((?:cached|memoized)[^)]*\)", re.MULTILINE)


@pytest.fixture(scope="module")
def succeeded(scratch: Scratch) -> Iterator[dict[str, str]]:
    """Return the outputs of commands that have run: pages share many, and each runs once."""
    before = scratch.git("rev-parse", "HEAD").strip()
    # A clone of a repository on a server has this reference.
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    # Later commands use this experiment, and it is what differs from the main branch.
    for command in commands_run_by("succeeded"):
        scratch.bash(command)
    scratch.git("add", "--all")
    scratch.git("commit", "--quiet", "--message", "My experiment")
    # Two jobs, which pages name and compare.
    while len([name for name in scratch.job_folders() if name.startswith("example_")]) < 2:
        scratch.pants("run", JOB, "--", "--set", "inputs.epochs=1")
    yield {}
    scratch.git("update-ref", "-d", "refs/remotes/origin/main")
    scratch.restore(before)


def run(scratch: Scratch, command: str, more: dict[str, str] | None = None) -> str:
    return PROGRESS.sub("", scratch.bash(command, more=more).stdout)


def check(scratch: Scratch, block: Block, succeeded: dict[str, str], more: dict[str, str]) -> None:
    for command, shown in block.outputs.items():
        if command not in succeeded:
            # Pages write NAME for the name of a reader's job, and OTHER for that of another one.
            typed = command
            if re.search(r"\bNAME\b", command):
                names = [job["name"] for job in scratch.jobs()[:2]]
                typed = re.sub(r"\bNAME\b", names[0], command)
                typed = re.sub(r"\bOTHER\b", names[-1], typed)
            succeeded[command] = run(scratch, typed, more)
        missing = first_not_printed(shown, succeeded[command])
        assert not missing, f"{command} does not print {missing!r}:\n{succeeded[command]}"


@pytest.mark.parametrize("block", marked(None).values(), ids=marked(None))
def test_commands_succeed_and_print_what_the_page_shows(
    scratch: Scratch, succeeded: dict[str, str], block: Block
) -> None:
    # As at the beginning of the README, there is no Docker. Whole-run tests do not run themselves.
    more = {
        "DOCKER_HOST": "unix:///nowhere/docker.sock",
        "PANTS_AZUREML_RUNTIME": "auto",
        "PANTS_TAG": "['-integration']",
    }
    check(scratch, block, succeeded, more)


@needs_engine
@pytest.mark.parametrize("block", marked(NEEDS_DOCKER).values(), ids=marked(NEEDS_DOCKER))
def test_commands_with_docker_succeed_and_print_what_the_page_shows(
    scratch: Scratch, succeeded: dict[str, str], block: Block
) -> None:
    more = {
        "PANTS_AZUREML_RUNTIME": "auto",
        "PANTS_DOCKER_BUILD_ARGS": f"['BASE_IMAGE={BASE_IMAGE}']",
    }
    check(scratch, block, succeeded, more)

"""Commands of README and docs that are not marked otherwise succeed, and print what is shown."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from azureml_jobs.docker.conftest import needs_engine
from documents import (
    NEEDS_AZURE,
    NEEDS_DOCKER,
    Block,
    blocks,
    commands_run_by,
    first_not_printed,
    pages,
)
from images import BASE_IMAGE
from scratch import Scratch, Terminal, repository_root

ROOT = repository_root()
# What Pants tells of its own work stands between the lines of a command, and may be missing.
PROGRESS = re.compile(r"^\d\d:\d\d:\d\d\.\d\d \[.*\n|  ?\((?:cached|memoized)[^)]*\)", re.MULTILINE)


def marked(marker: str | None) -> dict[str, Block]:
    """The blocks of commands with this marker, by page and line."""
    return {
        f"{page.relative_to(ROOT)}:{block.line}": block
        for page in pages(ROOT)
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.commands and block.marker == marker
    }


@pytest.fixture(scope="module")
def succeeded(scratch: Scratch) -> Iterator[dict[str, str]]:
    """Outputs of the commands that were run already: pages share many, and each is run once."""
    before = scratch.git("rev-parse", "HEAD").strip()
    # What a clone of a repository on a server has.
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    # The first step of the README's "Your own experiment", which its later commands are about: it
    # is also what differs from the main branch.
    scratch.pants("new-experiment", "--name=my_experiment")
    scratch.git("add", "--all")
    scratch.git("commit", "--quiet", "--message", "My experiment")
    yield {}
    scratch.git("update-ref", "-d", "refs/remotes/origin/main")
    scratch.git("reset", "--quiet", "--hard", before)
    scratch.git("clean", "-d", "--force", "--quiet")


def run(scratch: Scratch, command: str, more: dict[str, str]) -> str:
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=scratch.root,
        env=scratch.environment(more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}"
    return PROGRESS.sub("", ran.stdout)


def check(scratch: Scratch, block: Block, succeeded: dict[str, str], more: dict[str, str]) -> None:
    for command, shown in block.outputs.items():
        if command not in succeeded:
            # A page cannot know the names of its readers' jobs.
            typed = command
            if re.search(r"\bNAME\b", command):
                typed = re.sub(r"\bNAME\b", scratch.jobs()[0]["name"], command)
            succeeded[command] = run(scratch, typed, more)
        missing = first_not_printed(shown, succeeded[command])
        assert not missing, f"{command} does not print {missing!r}:\n{succeeded[command]}"


@pytest.mark.parametrize("block", marked(None).values(), ids=marked(None))
def test_the_commands_succeed_and_print_what_is_shown(
    scratch: Scratch, succeeded: dict[str, str], block: Block
) -> None:
    # A machine as the README begins with: no Docker. And the whole runs do not run themselves.
    more = {
        "DOCKER_HOST": "unix:///nowhere/docker.sock",
        "PANTS_AZUREML_RUNTIME": "auto",
        "PANTS_TAG": "['-integration']",
    }
    check(scratch, block, succeeded, more)


@needs_engine
@pytest.mark.parametrize("block", marked(NEEDS_DOCKER).values(), ids=marked(NEEDS_DOCKER))
def test_the_commands_with_docker_succeed_and_print_what_is_shown(
    scratch: Scratch, succeeded: dict[str, str], block: Block
) -> None:
    more = {
        "PANTS_AZUREML_RUNTIME": "auto",
        "PANTS_DOCKER_BUILD_ARGS": f"['BASE_IMAGE={BASE_IMAGE}']",
    }
    check(scratch, block, succeeded, more)


def test_the_commands_with_azure_succeed_on_the_stand_in(scratch: Scratch) -> None:
    commands = {
        command: None
        for block in marked(NEEDS_AZURE).values()
        for command in block.commands
        # Azure's own client is not part of this repository.
        if command.startswith("./pants ")
    }
    assert commands
    script = "\n".join(["set -e", *commands])
    run(scratch, f"./pants run :aml -- service -- bash -c {shlex.quote(script)}", {})


def test_the_service_is_used_from_another_terminal(scratch: Scratch) -> None:
    (start,) = commands_run_by("test_the_service_is_used_from_another_terminal")
    service = Terminal(scratch, *shlex.split(start)[1:])
    service.read_until("-- --stream")
    shown = next(
        block.outputs[start]
        for page in pages(ROOT)
        for block in blocks(page.read_text(encoding="utf-8"))
        if start in block.commands
    )
    assert not first_not_printed(shown, service.seen), service.seen
    # What it says to type.
    typed = [line.strip() for line in service.seen.splitlines() if line.startswith("  ")]
    streamed = run(scratch, "\n".join(["set -e", *typed]), {})
    assert "submitted to standin-workspace" in streamed
    service.type("\x03")
    assert service.status() in (0, 130)

"""Every command of README and docs that is not marked otherwise succeeds, page by page."""

from __future__ import annotations

import subprocess
from typing import Iterator

import pytest
from documents import Block, blocks, pages
from scratch import Scratch, repository_root

ROOT = repository_root()
RUN = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}:{block.line}")
    for page in pages(ROOT)
    for block in blocks(page.read_text(encoding="utf-8"))
    if block.commands and block.marker is None
]


@pytest.fixture(scope="module")
def succeeded(scratch: Scratch) -> Iterator[set[str]]:
    """Commands that were run already: pages share many, and each is run once."""
    before = scratch.git("rev-parse", "HEAD").strip()
    # The first step of the README's "Your own experiment", which its later commands are about.
    scratch.pants("new-experiment", "--name=my_experiment")
    scratch.git("add", "--all")
    scratch.git("commit", "--quiet", "--message", "My experiment")
    # What a clone of a repository on a server has.
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    yield set()
    scratch.git("update-ref", "-d", "refs/remotes/origin/main")
    scratch.git("reset", "--quiet", "--hard", before)
    scratch.git("clean", "-d", "--force", "--quiet")


@pytest.mark.parametrize("block", RUN)
def test_the_commands_succeed(scratch: Scratch, succeeded: set[str], block: Block) -> None:
    for command in block.commands:
        if command in succeeded:
            continue
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=scratch.root,
            env=scratch.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}"
        succeeded.add(command)

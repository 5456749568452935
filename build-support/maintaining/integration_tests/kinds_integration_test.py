"""Test that users' commands run pipelines and sweeps, here and in Azure ML's stand-in."""

from __future__ import annotations

from documents import commands_run_by
from scratch import Scratch


def test_the_page_of_pipelines_and_sweeps(scratch: Scratch) -> None:
    for command in commands_run_by("test_the_page_of_pipelines_and_sweeps"):
        scratch.bash(command)

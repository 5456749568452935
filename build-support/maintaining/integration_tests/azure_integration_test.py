"""Test that users' commands submit jobs to Azure ML, with the stand-in service."""

from __future__ import annotations

import os
import re
import shlex

from documents import NEEDS_AZURE, commands_run_by, first_not_printed, marked
from example import JOB
from scratch import Scratch, Terminal

# By hand, with 100: 100 submissions.
AT_ONCE = int(os.environ.get("COMMANDS_AT_ONCE", "8"))


def test_another_terminal_uses_the_service(scratch: Scratch) -> None:
    (start,) = commands_run_by("test_another_terminal_uses_the_service")
    before = scratch.job_folders()
    service = Terminal(scratch, *shlex.split(start)[1:])
    service.read_until("-- --stream")
    (shown,) = [
        block.outputs[start]
        for block in marked("run by test_another_terminal_uses_the_service").values()
    ]
    assert not first_not_printed(shown, service.seen), service.seen
    # The commands that it prints for the other terminal, and those of the pages. This repository
    # does not install Azure's own client.
    typed = [line.strip() for line in service.seen.splitlines() if line.startswith("  ")]
    of_pages = [command for block in marked(NEEDS_AZURE).values() for command in block.commands]
    typed += [command for command in of_pages if command.startswith("./pants ")]
    script = "\n".join(["set -e", *dict.fromkeys(typed), "./pants run :aml -- jobs list"])
    printed = scratch.bash(script).stdout
    (settings,) = (each for each in typed if each.startswith(". "))
    check_many_at_once(scratch, settings)
    service.type("\x03")
    assert service.status() in (0, 130)

    names = re.findall(r"(\S+) submitted to standin-workspace in standin-group", printed)
    assert len(names) == 2
    first, second = printed.split(f"{names[1]} submitted to standin-workspace")
    assert "snapshot             7 files" in first and "accuracy" in first
    assert "ok      sign-in" in printed
    assert second.count("unchanged, nothing sent") == 3
    listed = [line.split()[0] for line in second.splitlines() if " example_experiment " in line]
    assert sorted(listed) == sorted(names)
    assert scratch.job_folders() == before


def check_many_at_once(scratch: Scratch, settings: str) -> None:
    """Submit jobs by commands that are started together."""
    submit = f"./pants run {JOB} -- --set command=true"
    many = f"{settings}\nfor each in $(seq {AT_ONCE}); do {submit} & done; wait"
    printed = scratch.bash(many).stdout
    assert (
        len(set(re.findall(r"(\S+) submitted to standin-workspace", printed))) == AT_ONCE
    ), printed
    waits = re.findall(
        rf"waiting for `\./pants run {JOB}` \(process \d+\), then for (\d+)", printed
    )
    assert len(waits) == AT_ONCE - 1, printed

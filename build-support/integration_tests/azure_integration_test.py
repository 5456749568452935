"""Test that users' commands submit jobs to Azure ML, with the stand-in service."""

from __future__ import annotations

from example import JOB
from scratch import Scratch

# The service runs as long as this script, which finds it through environment variables.
SUBMISSIONS = f"""
set -e
./pants run {JOB} -- --name from-pants --tag who=test
./pants run {JOB} -- --name again
./pants run :aml -- doctor
./pants run :aml -- jobs list
./pants run :aml -- jobs list --local
test ! -e .azureml/jobs
"""


def test_the_same_command_submits_once_a_workspace_is_named(scratch: Scratch) -> None:
    done = scratch.pants("run", ":aml", "--", "service", "--", "bash", "-c", SUBMISSIONS)
    first, second = done.stdout.split("again submitted to standin-workspace")
    assert "from-pants submitted to standin-workspace in standin-group" in first
    assert "snapshot             7 files" in first
    assert second.count("unchanged, nothing sent") == 3
    assert "ok      sign-in" in second
    listed = [line.split()[0] for line in second.splitlines() if " example_experiment " in line]
    assert sorted(listed) == ["again", "from-pants"]
    assert "No jobs." in second

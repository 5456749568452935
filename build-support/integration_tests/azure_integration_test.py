"""Submitting to Azure ML by `./pants`: to the stand-in service, by the commands that users type."""

from __future__ import annotations

from scratch import Scratch

JOB = "src/example_experiment:job"
# The service is there for as long as this runs, and found by environment variables.
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

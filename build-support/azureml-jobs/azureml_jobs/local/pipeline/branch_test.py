from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED, NOT_STARTED, RUNNING
from azureml_jobs.jobfile.pipeline.model import Pipeline, Settings, Step
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.job_run import OwnedJob
from azureml_jobs.local.pipeline.branch import Branch
from azureml_jobs.local.record import JobRecord


def step(name: str, *after: str) -> Step:
    return Step(name, "command", "p.yaml", ("jobs", name), {}, after=after)


PIPELINE = Pipeline(
    (step("a"), step("b", "a"), step("c", "a", "gone"), step("end", "a", "b", "c")),
    settings=Settings(on_finalize="end"),
)


@pytest.mark.parametrize(
    ("statuses", "may_start", "never"),
    [
        ((NOT_STARTED,) * 4, ["a"], []),
        ((RUNNING, NOT_STARTED, NOT_STARTED, NOT_STARTED), [], []),
        ((COMPLETED, NOT_STARTED, NOT_STARTED, NOT_STARTED), ["b", "c"], []),
        ((FAILED, NOT_STARTED, NOT_STARTED, NOT_STARTED), [], ["b", "c"]),
        ((FAILED, CANCELED, CANCELED, NOT_STARTED), ["end"], []),
    ],
    ids=["at first", "a step runs", "it completed", "it failed", "only the last one is left"],
)
def test_a_step_starts_when_what_it_needs_completed(
    statuses: tuple[str, ...], may_start: list[str], never: list[str]
) -> None:
    branch = Branch(PIPELINE, OwnedJob(JobFolder(Path("jobs/x")), JobRecord("x")), {})
    for run, status in zip(branch.steps.values(), statuses):
        run.status = status
    assert [each.label for each in branch.startable()] == may_start
    assert [each.label for each, _ in branch.hopeless()] == never

from __future__ import annotations

import pytest
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED, NOT_STARTED, RUNNING
from azureml_jobs.jobfile.pipeline.model import Pipeline, Settings, Step
from azureml_jobs.local.pipeline.order import hopeless, outcome, startable


def step(name: str, *after: str) -> Step:
    return Step(name, "command", "p.yaml", ("jobs", name), {}, after=after)


PIPELINE = Pipeline(
    "p.yaml: jobs",
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
    known = dict(zip("abc", statuses), end=statuses[3])
    assert [each.name for each in startable(PIPELINE, known)] == may_start
    assert list(hopeless(PIPELINE, known)) == never


def test_a_pipeline_completes_if_all_of_its_steps_do() -> None:
    assert outcome([COMPLETED]) == COMPLETED
    assert outcome([COMPLETED, CANCELED]) == CANCELED
    assert outcome([CANCELED, FAILED]) == FAILED

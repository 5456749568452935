from __future__ import annotations

from typing import Any

from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.schema.kind import azure_only_parts, has_sweep

STEP = {"command": "ls"}
COMPONENT = {"name": "c", "version": 1, "type": "spark"}


@cases(
    "documents, expected",
    {
        "a command": ({"j": STEP}, ()),
        "a sweep": ({"j": {"type": "sweep", "trial": STEP}}, ()),
        "a job of another kind": ({"j": {"type": "spark"}}, (("j", "spark job"),)),
        "a component": ({"j": {"name": "c", "version": 1, **STEP}}, ()),
        "one of another kind": ({"j": COMPONENT}, (("j", "spark component"),)),
        "a schedule of a command": ({"j": {"create_job": {}}}, (("j", "job schedule"),)),
        "a step": (
            {"j": {"type": "pipeline", "jobs": {"a": STEP, "b": {"type": "automl"}}}},
            (("j: jobs.b", "automl step"),),
        ),
        "a step's component": (
            {"j": {"type": "pipeline", "jobs": {"a": {"component": "./c"}}}, "c": COMPONENT},
            (("c", "spark step"),),
        ),
    },
)
def test_names_what_only_azure_ml_runs(
    documents: dict[str, dict[str, Any]], expected: tuple[tuple[str, str], ...]
) -> None:
    assert azure_only_parts(documents, "j") == expected


def test_finds_a_sweep_among_the_steps() -> None:
    pipeline = {"type": "pipeline", "jobs": {"a": {"type": "sweep", "trial": "./c"}}}
    assert has_sweep({"j": pipeline, "c": COMPONENT})
    assert not has_sweep({"j": {"type": "pipeline", "jobs": {"a": STEP}}})

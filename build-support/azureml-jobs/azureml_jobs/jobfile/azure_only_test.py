from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.jobfile.azure_only import azure_only_parts, has_sweep

STEP = {"command": "ls"}
COMPONENT = {"name": "c", "version": 1, "type": "spark"}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param({"j": STEP}, (), id="a command"),
        pytest.param({"j": {"type": "sweep", "trial": STEP}}, (), id="a sweep"),
        pytest.param({"j": {"type": "spark"}}, (("j", "spark job"),), id="a job of another kind"),
        pytest.param({"j": {"name": "c", "version": 1, **STEP}}, (), id="a component"),
        pytest.param({"j": COMPONENT}, (("j", "spark component"),), id="one of another kind"),
        pytest.param(
            {"j": {"create_job": {}}}, (("j", "job schedule"),), id="a schedule of a command"
        ),
        pytest.param(
            {"j": {"type": "pipeline", "jobs": {"a": STEP, "b": {"type": "automl"}}}},
            (("j: jobs.b", "automl step"),),
            id="a step",
        ),
        pytest.param(
            {"j": {"type": "pipeline", "jobs": {"a": {"component": "./c"}}}, "c": COMPONENT},
            (("c", "spark step"),),
            id="a step's component",
        ),
    ],
)
def test_names_what_only_azure_ml_runs(
    documents: dict[str, dict[str, Any]], expected: tuple[tuple[str, str], ...]
) -> None:
    assert azure_only_parts(documents, "j") == expected


def test_finds_a_sweep_among_the_steps() -> None:
    pipeline = {"type": "pipeline", "jobs": {"a": {"type": "sweep", "trial": "./c"}}}
    assert has_sweep({"j": pipeline, "c": COMPONENT})
    assert not has_sweep({"j": {"type": "pipeline", "jobs": {"a": STEP}}})

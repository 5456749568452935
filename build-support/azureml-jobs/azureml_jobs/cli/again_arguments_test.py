from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest
from azureml_jobs.cli.reproduce import place_of, settings_of_now, settings_of_then

MADE = {"command_line": "./pants run src/x:job -- --image --set 'a=b c'", "seed": 7}


def manifest(**known: Any) -> dict[str, Any]:
    unit = dict.fromkeys(("command", "snapshot", "environment", "image", "packages"))
    return {**unit, "kind": "command job", "made": None, "allowed": [], "overrides": [], **known}


@pytest.mark.parametrize(
    ("known", "was_here", "runs_here", "expected"),
    [
        pytest.param({}, True, True, "--local --no-cache --runtime venv", id="here again"),
        pytest.param({}, False, True, "--local --no-cache", id="of Azure, here"),
        pytest.param(
            {"image": {"reference": "x:env-1", "id": "1"}, "made": MADE},
            True,
            True,
            "--local --no-cache --seed 7",
            id="in an image, with a seed",
        ),
        pytest.param({"made": MADE}, False, False, "--profile p --login --image", id="in Azure"),
        pytest.param(
            {"kind": "pipeline job"},
            False,
            False,
            "--profile p --login --set settings.force_rerun=true",
            id="a pipeline in Azure",
        ),
        pytest.param(
            {"allowed": [{"where": each} for each in ("src/x/.env", "src/a.py:3", "src/a.py:9")]},
            False,
            True,
            "--local --no-cache --allow src/x/.env --allow src/a.py",
            id="what the guard let pass",
        ),
    ],
)
def test_a_job_runs_again_as_it_ran(
    known: dict[str, Any], was_here: bool, runs_here: bool, expected: str
) -> None:
    options = Namespace(profile="p", login=True)
    assert " ".join(place_of(manifest(**known), was_here, runs_here, options)) == expected


def test_a_run_gets_the_overrides_of_then_and_todays_gets_all_inputs() -> None:
    inputs = {"a": 4, "b.c": {"type": "uri_file", "path": "d.csv"}, "e": {"value": 2}, "none": None}
    then = manifest(
        overrides=["inputs.a=4", "name=x", "compute=azureml:y", "settings.force_rerun=true"],
        job_file="job.yaml",
        documents=[{"path": "job.yaml", "content": {"inputs": inputs}}],
    )
    assert settings_of_then(then) == ["--set", "inputs.a=4", "--set", "compute=azureml:y"]
    assert settings_of_now(then)[1::2] == [
        "compute=azureml:y",
        "inputs.a=4",
        "inputs.b\\.c.path=d.csv",
        "inputs.e.value=2",
    ]

"""Manifests of the same job, and of one that is not the same or may behave differently."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.bundle.conftest import written
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.manifest_file import read_manifest
from azureml_jobs.bundle.provenance import made_here, provenance_of
from azureml_jobs.bundle.same import check_fetched, differences, doubts
from azureml_jobs.conftest import CONTEXT_JOB, JOB_FILE, Gathered, cases

JOB = CONTEXT_JOB + "compute: x\n"


@pytest.fixture
def then(gathered: Gathered) -> dict[str, Any]:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM python\n")
    gathered.write("src/exp/data.csv", "1")
    job = JOB.replace("inputs:\n", "inputs:\n  d: {type: uri_file, path: data.csv}\n")
    plan = gathered.plan(job, "inputs.epochs=4", "name=mine")
    made = made_here(gathered.repository, "src/exp:job", [])
    text = json.dumps(manifest(plan, provenance_of(plan, gathered.repository, made)))
    found: dict[str, Any] = json.loads(text)
    return found


MAIN = ("snapshot", "files", 2)
CONTENT = ("documents", 0, "content")


def put(manifest: Any, *keys: Any, **values: Any) -> None:
    """Give what is at the keys of a manifest these values."""
    for key in keys:
        manifest = manifest[key]
    manifest.update(values)


@cases(
    "keys, values, expected",
    {
        "another run": (["made"], {"host": "b", "seed": 1}, []),
        "another name": ([], {"overrides": ["inputs.epochs=4"]}, []),
        "an override": ([], {"overrides": []}, ["--set inputs.epochs=4 is gone"]),
        "content": (MAIN, {"sha256": "0"}, ["code/exp/main.py differs"]),
        "a run bit": (MAIN, {"executable": True}, ["code/exp/main.py differs"]),
        "a name": (
            MAIN,
            {"path": "exp/b.py"},
            ["code/exp/b.py is new", "code/exp/main.py is gone"],
        ),
        "the environment": (
            ["environment", "files", 0],
            {"sha256": "0"},
            ["environment/Dockerfile differs"],
        ),
        "the lock": (["packages"], {"lock_sha256": "0"}, ["packages differs"]),
        "the job file": (["documents", 0], {"sha256": "0"}, [f"{JOB_FILE} differs"]),
        "local data": (["data", 0], {"sha256": "0"}, ["input d differs"]),
    },
)
def test_finds_everything_that_decides_the_job(
    then: dict[str, Any], keys: list[Any], values: dict[str, Any], expected: list[str]
) -> None:
    now = copy.deepcopy(then)
    put(now, *keys, **values)
    assert differences(then, now) == expected


@cases(
    "keys, values, expected",
    {
        "other tools": (
            ["git"],
            {"tools_changed": True},
            ["build-support was changed when the job was made, which no record has"],
        ),
        "another version": (["versions"], {"pants": "1"}, ["pants was 1, and is 2.17.1"]),
        "data elsewhere": (
            [],
            {
                "data": [
                    {"input": "x", "asset": "azureml:a@latest"},
                    {"input": "y", "uri": "https://host.example/x"},
                ]
            },
            [
                "input x: azureml:a@latest may be a newer version today",
                "input y: https://host.example/x may have other content today",
            ],
        ),
        "a tag": (
            CONTENT,
            {"environment": {"image": "python:3.11"}},
            [f"{JOB_FILE}: environment: python:3.11 may be another image today"],
        ),
        "the latest environment": (
            CONTENT,
            {"environment": "azureml:e@latest"},
            [f"{JOB_FILE}: environment: azureml:e@latest may be another image today"],
        ),
        "a search": (
            CONTENT,
            {"sampling_algorithm": {"type": "Bayesian"}},
            ["its sweep chooses values by the order in which its trials end"],
        ),
        "an image that is not here": (
            [],
            {"image": {"reference": "x:env-1", "id": "sha256:1"}},
            ["it ran in the image x:env-1, and runs in another environment now"],
        ),
    },
)
def test_says_what_may_give_another_result(
    then: dict[str, Any], keys: list[Any], values: dict[str, Any], expected: list[str]
) -> None:
    then["git"] = {}
    now = copy.deepcopy(then)
    assert differences(then, now) == doubts(then, now, runs_here=True) == []
    put(then, *keys, **values)
    assert doubts(then, now, runs_here=True) == expected


def test_the_place_matters_only_to_what_runs_here(then: dict[str, Any]) -> None:
    now = copy.deepcopy(then)
    now["made"].update(system="here", python="3.11.0")
    then["made"].update(system="there")
    found = doubts(then, now, runs_here=True)
    assert found[0] == "it was started on system there, and this is here"
    assert doubts(then, now, runs_here=False) == []


def test_code_that_somebody_changed_is_not_what_ran(gathered: Gathered) -> None:
    gathered.add_code()
    record = written(gathered)
    found = read_manifest(record)
    check_fetched(record, found)
    (record / "code/exp/main.py").write_text("import common.b\n")
    with pytest.raises(OutsideError, match="code/exp/main.py: this is not what the job's manifest"):
        check_fetched(record, found)

"""Manifests of the same job, and of one that is not the same or may behave differently."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.provenance import made_here, provenance_of
from azureml_jobs.bundle.same import check_fetched, differences, doubts
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.conftest import CONTEXT_JOB, Gathered

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


def file(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in manifest["snapshot"]["files"] if each["path"] == name]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda m: None, [], id="nothing"),
        pytest.param(lambda m: m["overrides"].remove("name=mine"), [], id="another name"),
        pytest.param(lambda m: m["made"].update(host="b", seed=1), [], id="another run"),
        pytest.param(
            lambda m: m["overrides"].remove("inputs.epochs=4"),
            ["--set inputs.epochs=4 is gone"],
            id="an override",
        ),
        pytest.param(
            lambda m: file(m, "exp/main.py").update(sha256="0"),
            ["code/exp/main.py differs"],
            id="content",
        ),
        pytest.param(
            lambda m: file(m, "exp/main.py").update(executable=True),
            ["code/exp/main.py differs"],
            id="a run bit",
        ),
        pytest.param(
            lambda m: file(m, "exp/main.py").update(path="exp/b.py"),
            ["code/exp/b.py is new", "code/exp/main.py is gone"],
            id="a name",
        ),
        pytest.param(
            lambda m: m["environment"]["files"][0].update(sha256="0"),
            ["environment/Dockerfile differs"],
            id="the environment",
        ),
        pytest.param(
            lambda m: m["packages"].update(lock_sha256="0"), ["packages differs"], id="the lock"
        ),
        pytest.param(
            lambda m: m["documents"][0].update(sha256="0"),
            ["src/exp/azure-ml-job.yaml differs"],
            id="the job file",
        ),
        pytest.param(
            lambda m: m["data"][0].update(sha256="0"), ["input d differs"], id="local data"
        ),
    ],
)
def test_finds_everything_that_decides_the_job(
    then: dict[str, Any], change: Callable[[dict[str, Any]], None], expected: list[str]
) -> None:
    now = copy.deepcopy(then)
    change(now)
    assert differences(then, now) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda m: None, [], id="nothing"),
        pytest.param(
            lambda m: m["git"].update(tools_changed=True),
            ["build-support was changed when the job was made, which no record has"],
            id="other tools",
        ),
        pytest.param(
            lambda m: m["versions"].update(pants="1"),
            ["pants was 1, and is 2.17.1"],
            id="another version",
        ),
        pytest.param(
            lambda m: m["data"].append({"input": "x", "asset": "azureml:a@latest"}),
            ["input x: azureml:a@latest may be a newer version today"],
            id="the latest data",
        ),
        pytest.param(
            lambda m: m["data"].append({"input": "x", "uri": "https://host.example/x"}),
            ["input x: https://host.example/x may have other content today"],
            id="an address",
        ),
        pytest.param(
            lambda m: m["documents"][0]["content"].update(environment={"image": "python:3.11"}),
            ["src/exp/azure-ml-job.yaml: environment: python:3.11 may be another image today"],
            id="a tag",
        ),
        pytest.param(
            lambda m: m["documents"][0]["content"].update(environment="azureml:e@latest"),
            ["src/exp/azure-ml-job.yaml: environment: azureml:e@latest may be another image today"],
            id="the latest environment",
        ),
        pytest.param(
            lambda m: m["documents"][0]["content"].update(sampling_algorithm={"type": "Bayesian"}),
            ["its sweep chooses values by the order in which its trials end"],
            id="a search",
        ),
        pytest.param(
            lambda m: m.update(image={"reference": "x:env-1", "id": "sha256:1"}),
            ["it ran in the image x:env-1, and runs in another environment now"],
            id="an image that is not here",
        ),
    ],
)
def test_says_what_may_give_another_result(
    then: dict[str, Any], change: Callable[[dict[str, Any]], None], expected: list[str]
) -> None:
    then["git"] = {}
    now = copy.deepcopy(then)
    change(then)
    assert doubts(then, now, runs_here=True) == expected


def test_the_place_matters_only_to_what_runs_here(then: dict[str, Any]) -> None:
    now = copy.deepcopy(then)
    now["made"].update(system="here", python="3.11.0")
    then["made"].update(system="there")
    found = doubts(then, now, runs_here=True)
    assert found[0] == "it was started on system there, and this is here"
    assert doubts(then, now, runs_here=False) == []


def test_code_that_somebody_changed_is_not_what_ran(gathered: Gathered, tmp_path: Path) -> None:
    gathered.add_code()
    plan = gathered.plan()
    provenance = provenance_of(plan, gathered.repository)
    record = tmp_path / "bundle"
    write_bundle(plan, provenance, record, gathered.repository, with_data=False)
    found = manifest(plan, provenance)
    check_fetched(record, found)
    (record / "code/exp/main.py").write_text("import common.b\n")
    with pytest.raises(OutsideError, match="code/exp/main.py: this is not what the job's manifest"):
        check_fetched(record, found)

from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.jobfile.limits import limit_findings


@pytest.mark.parametrize(
    ("document", "where", "says"),
    [
        pytest.param({"experiment_name": "a b"}, "experiment_name", "`a-b`", id="a blank"),
        pytest.param({"experiment_name": "_a"}, "experiment_name", "`a`", id="not a letter first"),
        pytest.param({"experiment_name": "é"}, "experiment_name", "`NAME`", id="not of ASCII"),
        pytest.param({"experiment_name": "a" * 257}, "experiment_name", "257", id="too long"),
        pytest.param({"name": "a:b"}, "name", "`a-b`", id="a colon"),
        pytest.param({"name": "a" * 256}, "name", "Shorten", id="a long name"),
        pytest.param({"version": "1 2"}, "version", "`1-2`", id="a version"),
        pytest.param({"compute": "azureml:a b"}, "compute", "`a b`", id="a compute"),
        pytest.param({"compute": "a/b"}, "compute", "`azureml:NAME`", id="a path as a compute"),
        pytest.param({"environment": "azureml:a b:1"}, "environment", "`a b:1`", id="environment"),
        pytest.param(
            {"type": "pipeline", "jobs": {"a": {"compute": "a:b"}}},
            *("jobs.a.compute", "`a:b`"),
            id="the compute of a step",
        ),
        pytest.param(
            {"resources": {"shm_size": "2 GB"}}, "resources.shm_size", "`2g`", id="a size"
        ),
        pytest.param({"resources": {"instance_count": 0}}, "resources.instance_count", "0", id="0"),
        pytest.param({"limits": {"timeout": 0}}, "limits.timeout", "0", id="a timeout"),
        pytest.param(
            {"environment_variables": {"A=B": "x"}}, "environment_variables", "`A=B`", id="variable"
        ),
        pytest.param(
            {"outputs": {"y": {"name": "a/b"}}}, "outputs.y.name", "`a-b`", id="a name of data"
        ),
        pytest.param({"display_name": "a" * 257}, "display_name", "256", id="display name"),
        pytest.param({"description": "a" * 5001}, "description", "5000", id="description"),
        pytest.param({"tags": {str(n): "" for n in range(51)}}, "tags", "50", id="many tags"),
        pytest.param({"tags": {"a" * 101: ""}}, f"tags.{'a' * 40}…", "100", id="a long key"),
        pytest.param({"tags": {"a": "b" * 1001}}, "tags.a", "1000", id="a long value"),
        pytest.param({"properties": {"a": "b" * 1001}}, "properties.a", "1000", id="property"),
        pytest.param(
            {"outputs": dict.fromkeys(map(str, range(21)))}, "outputs", "20", id="many outputs"
        ),
        pytest.param(
            {"inputs": {str(n): {"path": "a"} for n in range(201)}}, "inputs", "200", id="inputs"
        ),
    ],
)
def test_finds_what_the_service_refuses(document: dict[str, Any], where: str, says: str) -> None:
    (finding,) = limit_findings(document)
    assert finding.key_path == where
    assert says in finding.what + finding.remedy


def test_takes_what_is_just_within_the_limits() -> None:
    document = {
        "name": "a" * 255,
        "experiment_name": "1_" + "-" * 254,
        "display_name": "a b/c" + "é" * 251,
        "description": "a" * 5000,
        "tags": {f"{number:0100}": "b" * 1000 for number in range(50)},
        "inputs": {str(number): number for number in range(300)},
        "outputs": {"y": {"name": "my.data-1"}, "z": {"name": "${{name}}"}},
        "version": "1.0-rc_1",
        "environment": "azureml://registries/azureml/environments/sklearn-1.5/versions/1",
        "environment_variables": {"A.b-c": 1},
        "resources": {"shm_size": "1g", "instance_count": 1},
        "compute": "azureml:/subscriptions/1/resourceGroups/2/a b",
    }
    assert limit_findings(document) == []


@pytest.mark.parametrize(
    "compute", ["serverless", "azureml:a_b-1", "local", "${{inputs.x}}", "<c>"]
)
@pytest.mark.parametrize(
    "environment", ["azureml:a.b@latest", "azureml:a:1.0", "azureml:a/versions/1", "file:x y"]
)
def test_takes_references_of_all_forms(compute: str, environment: str) -> None:
    assert limit_findings({"compute": compute, "environment": environment}) == []

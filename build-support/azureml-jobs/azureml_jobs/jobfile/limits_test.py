from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.limits import limit_findings


@cases(
    "document, where, says",
    {
        "a blank": ({"experiment_name": "a b"}, "experiment_name", "`a-b`"),
        "not a letter first": ({"experiment_name": "_a"}, "experiment_name", "`a`"),
        "not of ASCII": ({"experiment_name": "é"}, "experiment_name", "`NAME`"),
        "too long": ({"experiment_name": "a" * 257}, "experiment_name", "257"),
        "a colon": ({"name": "a:b"}, "name", "`a-b`"),
        "a long name": ({"name": "a" * 256}, "name", "Shorten"),
        "a version": ({"version": "1 2"}, "version", "`1-2`"),
        "a compute": ({"compute": "azureml:a b"}, "compute", "`a b`"),
        "a path as a compute": ({"compute": "a/b"}, "compute", "`azureml:NAME`"),
        "environment": ({"environment": "azureml:a b:1"}, "environment", "`a b:1`"),
        "the compute of a step": (
            {"type": "pipeline", "jobs": {"a": {"compute": "a:b"}}},
            *("jobs.a.compute", "`a:b`"),
        ),
        "a size": ({"resources": {"shm_size": "2 GB"}}, "resources.shm_size", "`2g`"),
        "0": ({"resources": {"instance_count": 0}}, "resources.instance_count", "0"),
        "a timeout": ({"limits": {"timeout": 0}}, "limits.timeout", "0"),
        "variable": ({"environment_variables": {"A=B": "x"}}, "environment_variables", "`A=B`"),
        "a name of data": ({"outputs": {"y": {"name": "a/b"}}}, "outputs.y.name", "`a-b`"),
        "display name": ({"display_name": "a" * 257}, "display_name", "256"),
        "description": ({"description": "a" * 5001}, "description", "5000"),
        "many tags": ({"tags": {str(n): "" for n in range(51)}}, "tags", "50"),
        "a long key": ({"tags": {"a" * 101: ""}}, f"tags.{'a' * 40}…", "100"),
        "a long value": ({"tags": {"a": "b" * 1001}}, "tags.a", "1000"),
        "property": ({"properties": {"a": "b" * 1001}}, "properties.a", "1000"),
        "many outputs": ({"outputs": dict.fromkeys(map(str, range(21)))}, "outputs", "20"),
        "inputs": ({"inputs": {str(n): {"path": "a"} for n in range(201)}}, "inputs", "200"),
    },
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

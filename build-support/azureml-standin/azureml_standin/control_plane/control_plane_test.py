"""Test what the control plane refuses, and that assets and jobs are made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from azureml_standin.conftest import API_VERSION, Caller, wait_for_end
from azureml_standin.control_plane.resources import WORKSPACE_ID

CODES = "/codes/mine/versions/1"
STORE = "https://standin.blob.core.windows.net"


@pytest.mark.parametrize(
    ("path", "properties", "expected"),
    [
        pytest.param(CODES, {"codeUri": f"{STORE}/none/x"}, "is no container", id="no container"),
        pytest.param("/codes/-x/versions/1", {"codeUri": "x"}, "is no name", id="a name"),
        pytest.param("/environments/e/versions/1", {}, "either 'image' or 'build'", id="neither"),
        pytest.param("/data/d/versions/1", {"dataType": "csv"}, "not of uri_file", id="data type"),
    ],
)
def test_refuses_an_incomplete_asset(
    caller: Caller, path: str, properties: Mapping[str, Any], expected: str
) -> None:
    answer = caller.arm("PUT", path, {"properties": properties})
    assert answer.status == 400 and expected in answer.json()["error"]["message"]
    assert caller.arm("GET", path).status == 404


def test_refuses_to_change_a_version(caller: Caller) -> None:
    path = "/environments/once/versions/1"
    first = {"properties": {"image": "a:1", "tags": {"k": "v"}}}
    assert caller.arm("PUT", path, first).status == 201
    assert caller.arm("PUT", path, first).status == 200
    assert caller.arm("PUT", path, {"properties": {"image": "a:1", "tags": {}}}).status == 200
    other = caller.arm("PUT", path, {"properties": {"image": "b:1"}})
    assert (other.status, other.json()["error"]["code"]) == (409, "UserError")
    assert caller.arm("GET", path).json()["properties"]["image"] == "a:1"


def test_accepts_the_same_version_after_a_start_on_another_port(caller: Caller) -> None:
    path = "/environments/moved/versions/1"
    path_of_context = "standin.blob.core.azure.standin/c/LocalUpload/x"
    for host, status in (("127.0.0.1:1", 201), ("127.0.0.1:2", 200)):
        build = {"contextUri": f"https://{host}/{path_of_context}"}
        assert caller.arm("PUT", path, {"properties": {"build": build}}).status == status
    build = {"contextUri": f"https://127.0.0.1:2/{path_of_context}y"}
    assert caller.arm("PUT", path, {"properties": {"build": build}}).status == 409


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"jobType": "Dance"}, "not of Command", id="type"),
        pytest.param({"command": ""}, "command is required", id="command"),
        pytest.param({"environmentId": "env:1"}, "not an address of environments", id="short name"),
        pytest.param({"codeId": WORKSPACE_ID + CODES}, "codes/mine version 1", id="no code"),
        pytest.param({"command": "echo ${{inputs.a}}"}, "names inputs.a", id="reference"),
        pytest.param({"inputs": {"a": {"value": "1"}}}, "a.jobInputType", id="input type"),
        pytest.param({"jobType": "Sweep"}, "searchSpace is required", id="sweep"),
    ],
)
def test_refuses_an_invalid_job(caller: Caller, changes: dict[str, Any], expected: str) -> None:
    answer = caller.arm("PUT", "/jobs/broken", caller.command_job(**changes))
    assert answer.status == 400 and expected in answer.json()["error"]["message"]
    assert "broken" not in caller.service.jobs.names()


STEP: dict[str, Any] = {
    "type": "command",
    "componentId": f"{WORKSPACE_ID}/components/score/versions/1",
    "inputs": {"data": {"value": "${{parent.inputs.data}}"}},
}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param({"type": "dance"}, "not of command", id="type"),
        pytest.param({"componentId": None}, "componentId is required", id="no component"),
        pytest.param({"inputs": {}}, "required input data is missing", id="missing input"),
        pytest.param(
            {"inputs": {"data": {"value": "${{parent.jobs.x.outputs.y}}"}}},
            "there is nothing at ${{parent.jobs.x.outputs.y}}",
            id="binding",
        ),
        pytest.param({"inputs": {**STEP["inputs"], "b": {}}}, "no input b", id="other input"),
        pytest.param({"computeId": "none"}, "Unknown compute target", id="compute"),
    ],
)
def test_refuses_an_invalid_step(caller: Caller, step: dict[str, Any], expected: str) -> None:
    spec = {
        "type": "command",
        "command": "cat ${{inputs.data}}",
        "environment": caller.put_environment(),
        "inputs": {"data": {"type": "uri_folder"}, "note": {"type": "string", "optional": True}},
    }
    caller.arm("PUT", "/components/score/versions/1", {"properties": {"componentSpec": spec}})
    inputs = {"data": {"jobInputType": "uri_folder", "uri": "x"}}
    properties = {"jobType": "Pipeline", "inputs": inputs, "jobs": {"one": {**STEP, **step}}}
    answer = caller.arm("PUT", "/jobs/tree", {"properties": properties})
    assert answer.status == 400 and expected in answer.json()["error"]["message"]


def test_refuses_to_change_a_job(caller: Caller) -> None:
    body = caller.command_job("echo once")
    assert caller.arm("PUT", "/jobs/once", body).status == 201
    assert caller.arm("PUT", "/jobs/once", body).status == 200
    wait_for_end(caller.service, "once")
    # As a client sends a job that it has read before.
    assert caller.arm("PUT", "/jobs/once", caller.arm("GET", "/jobs/once").json()).status == 200
    answer = caller.arm("PUT", "/jobs/once", caller.command_job("echo twice"))
    assert (answer.status, answer.json()["error"]["code"]) == (400, "UserError")
    assert "A job with this name already exists" in answer.json()["error"]["message"]
    assert "command cannot be changed" in answer.json()["error"]["message"]
    assert caller.service.jobs.names().count("once") == 1


def test_refuses_to_cancel_a_job_that_has_ended(caller: Caller) -> None:
    caller.run_job("ended")
    refused = caller.arm("POST", "/jobs/ended/cancel")
    assert refused.status == 400 and "has ended already" in refused.json()["error"]["message"]
    assert caller.arm("POST", "/jobs/none/cancel").status == 404


def test_refuses_tokens_for_other_resources(caller: Caller) -> None:
    path = f"{WORKSPACE_ID}?api-version={API_VERSION}"
    for audience, status in (
        ("https://management.azure.com/", 200),
        (caller.service.url, 200),
        ("https://ml.azure.com", 401),
        ("https://storage.azure.com", 401),
    ):
        headers = {"Authorization": f"Bearer {caller.token(audience)}"}
        assert caller.request("GET", path, headers=headers).status == status

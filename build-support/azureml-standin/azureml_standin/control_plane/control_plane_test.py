"""Test what the control plane refuses, and that assets and jobs are made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from azureml_standin.conftest import API_VERSION, Caller, wait_for_end

CODES = "/codes/mine/versions/1"
STORE = "https://standin.blob.core.windows.net"
LITERAL = {"jobInputType": "literal", "value": "3"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("/subscriptions/x/resourceGroups/g/{}", "SubscriptionNotFound", id="sub"),
        pytest.param("{sub}/resourceGroups/x/{}", "ResourceGroupNotFound", id="group"),
        pytest.param("{sub}/resourceGroups/standin-group/{}x", "ResourceNotFound", id="name"),
    ],
)
def test_refuses_unknown_names(caller: Caller, path: str, code: str) -> None:
    workspace = caller.service.workspace
    last = f"providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}"
    sub = f"/subscriptions/{workspace.subscription}"
    target = f"{path.format(last, sub=sub, id=workspace.id)}?api-version={API_VERSION}"
    headers = {"Authorization": f"Bearer {caller.token()}"}
    answer = caller.request("GET", target, headers=headers)
    assert (answer.status, answer.code) == (404, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("", "MissingApiVersionParameter", id="none"),
        pytest.param("?api-version=2015-05-01", "InvalidApiVersionParameter", id="too old"),
    ],
)
def test_refuses_a_request_without_a_known_api_version(
    caller: Caller, query: str, code: str
) -> None:
    headers = {"Authorization": f"Bearer {caller.token()}"}
    answer = caller.request("GET", caller.service.workspace.id + query, headers=headers)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("path", "properties", "expected"),
    [
        pytest.param(CODES, {}, "codeUri is required", id="code without address"),
        pytest.param(
            CODES, {"codeUri": "folder"}, "not an address of a container", id="no address"
        ),
        pytest.param(CODES, {"codeUri": f"{STORE}/none/x"}, "does not exist", id="no container"),
        pytest.param("/codes/-x/versions/1", {"codeUri": "x"}, "is no name", id="a name"),
        pytest.param("/environments/e/versions/1", {}, "either 'image' or 'build'", id="neither"),
        pytest.param(
            "/environments/e/versions/1",
            {"build": {"dockerfilePath": "Dockerfile"}},
            "contextUri is required",
            id="no context",
        ),
        pytest.param(
            "/environments/e/versions/1",
            {"build": {"contextUri": "https://x/y"}, "condaFile": "a: 1"},
            "goes with 'image'",
            id="conda with a build",
        ),
        pytest.param("/data/d/versions/1", {"dataType": "csv"}, "not of uri_file", id="data type"),
        pytest.param("/data/d/versions/1", {"dataType": "uri_file"}, "dataUri", id="data"),
        pytest.param("/models/m/versions/1", {}, "modelUri", id="model"),
        pytest.param(
            "/components/c/versions/1",
            {"componentSpec": {"type": "command"}},
            "componentSpec.command",
            id="component without command",
        ),
        pytest.param(
            "/environments/e/versions/1", {"image": "i", "tags": {"a": {}}}, "tags", id="tags"
        ),
    ],
)
def test_refuses_an_incomplete_asset(
    caller: Caller, path: str, properties: Mapping[str, Any], expected: str
) -> None:
    answer = caller.arm("PUT", path, {"properties": properties})
    assert answer.status == 400
    assert expected in answer.json()["error"]["message"]
    assert caller.arm("GET", path).status == 404


@pytest.mark.parametrize("body", [b"{", b'{"properties": 1}'])
def test_refuses_a_malformed_body(caller: Caller, body: bytes) -> None:
    target = f"{caller.service.workspace.id}/jobs/x?api-version={API_VERSION}"
    answer = caller.request("PUT", target, body, {"Authorization": f"Bearer {caller.token()}"})
    assert (answer.status, answer.code) == (400, "InvalidRequestContent")


def test_refuses_to_change_a_version(caller: Caller) -> None:
    path = "/environments/once/versions/1"
    first = {"properties": {"image": "a:1", "tags": {"k": "v"}}}
    assert caller.arm("PUT", path, first).status == 201
    assert caller.arm("PUT", path, first).status == 200
    assert caller.arm("PUT", path, {"properties": {"image": "a:1", "tags": {}}}).status == 200
    other = caller.arm("PUT", path, {"properties": {"image": "b:1"}})
    assert (other.status, other.code) == (409, "UserError")
    assert caller.arm("GET", path).json()["properties"]["image"] == "a:1"


def test_accepts_the_same_version_after_a_start_on_another_port(caller: Caller) -> None:
    path = "/environments/moved/versions/1"
    path_of_context = "standin.blob.core.azure.standin/c/LocalUpload/x"
    for host, status in (("127.0.0.1:1", 201), ("127.0.0.1:2", 200)):
        build = {"contextUri": f"https://{host}/{path_of_context}"}
        assert caller.arm("PUT", path, {"properties": {"build": build}}).status == status
    build = {"contextUri": f"https://127.0.0.1:2/{path_of_context}y"}
    assert caller.arm("PUT", path, {"properties": {"build": build}}).status == 409


def test_refuses_to_change_the_address_of_code(caller: Caller) -> None:
    caller.put_code("fixed")
    kept = caller.arm("GET", "/codes/fixed/versions/1").json()["properties"]["codeUri"]
    changed = {"properties": {"codeUri": kept.replace("/code", "/other")}}
    answer = caller.arm("PUT", "/codes/fixed/versions/1", changed)
    assert answer.json()["error"]["message"] == "Asset paths cannot be updated."


def test_continues_a_repeated_upload_in_the_same_container(caller: Caller) -> None:
    path = "/codes/again/versions/1/startPendingUpload"
    body = {"pendingUploadType": "TemporaryBlobReference"}
    first, again = (
        caller.arm("POST", path, body).json()["blobReferenceForConsumption"]["blobUri"]
        for _ in range(2)
    )
    assert first == again
    assert caller.arm("POST", path, {"a": 1}).status == 400


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"jobType": "Dance"}, "not of Command", id="type"),
        pytest.param({"command": ""}, "command is required", id="command"),
        pytest.param({"environmentId": None}, "environmentId is required", id="environment"),
        pytest.param({"environmentId": "env:1"}, "not an address of environments", id="short name"),
        pytest.param({"codeId": "{id}/codes/x/versions/1"}, "codes/x version 1", id="no code"),
        pytest.param({"computeId": "{id}/computes/none"}, "Unknown compute target", id="compute"),
        pytest.param({"command": "echo ${{inputs.a}}"}, "names inputs.a", id="reference"),
        pytest.param({"inputs": {"a": {"value": "1"}}}, "a.jobInputType", id="input type"),
        pytest.param({"inputs": {"a": {**LITERAL, "value": 3}}}, "must be text", id="literal"),
        pytest.param({"inputs": {"a": {"jobInputType": "uri_file"}}}, "a.uri", id="no address"),
        pytest.param({"outputs": {"a": {"jobOutputType": "x"}}}, "jobOutputType", id="output"),
        pytest.param({"limits": {"timeout": "PT1M"}}, "jobLimitsType", id="limits"),
        pytest.param({"environmentVariables": {"A": {}}}, "environmentVariables", id="variables"),
        pytest.param({"jobType": "Sweep"}, "searchSpace is required", id="sweep"),
        pytest.param({"jobType": "Pipeline"}, "jobs is required", id="pipeline"),
    ],
)
def test_refuses_an_invalid_job(caller: Caller, changes: dict[str, Any], expected: str) -> None:
    body = caller.command_job(
        **{
            key: (
                value.format(id=caller.service.workspace.id)
                if isinstance(value, str) and key != "command"
                else value
            )
            for key, value in changes.items()
        }
    )
    answer = caller.arm("PUT", "/jobs/broken", body)
    assert answer.status == 400 and expected in answer.json()["error"]["message"]
    assert "broken" not in caller.service.jobs.names()


def test_refuses_an_invalid_name_of_a_job(caller: Caller) -> None:
    assert caller.arm("PUT", "/jobs/a.b", caller.command_job()).status == 400


def test_refuses_to_change_a_job(caller: Caller) -> None:
    body = caller.command_job("echo once")
    assert caller.arm("PUT", "/jobs/once", body).status == 201
    assert caller.arm("PUT", "/jobs/once", body).status == 200
    wait_for_end(caller.service, "once")
    # As a client sends a job that it has read before.
    assert caller.arm("PUT", "/jobs/once", caller.arm("GET", "/jobs/once").json()).status == 200
    answer = caller.arm("PUT", "/jobs/once", caller.command_job("echo twice"))
    assert (answer.status, answer.code) == (400, "UserError")
    assert "A job with this name already exists" in answer.json()["error"]["message"]
    assert "command cannot be changed" in answer.json()["error"]["message"]
    assert caller.service.jobs.names().count("once") == 1


def test_refuses_to_cancel_a_job_that_has_ended(caller: Caller) -> None:
    caller.arm("PUT", "/jobs/ended", caller.command_job("true"))
    wait_for_end(caller.service, "ended")
    refused = caller.arm("POST", "/jobs/ended/cancel")
    assert refused.status == 400 and "has ended already" in refused.json()["error"]["message"]
    assert caller.arm("POST", "/jobs/none/cancel").status == 404

"""The control plane by plain requests: what it takes, and what it refuses with which words."""

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
        pytest.param("{id}/flowers", "InvalidResourceType", id="type"),
    ],
)
def test_says_what_is_not_there(caller: Caller, path: str, code: str) -> None:
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
        pytest.param("?api-version=newest", "InvalidApiVersionParameter", id="no date"),
        pytest.param("?api-version=2015-05-01", "InvalidApiVersionParameter", id="too old"),
    ],
)
def test_wants_an_api_version(caller: Caller, query: str, code: str) -> None:
    headers = {"Authorization": f"Bearer {caller.token()}"}
    answer = caller.request("GET", caller.service.workspace.id + query, headers=headers)
    assert (answer.status, answer.code) == (400, code)


def test_takes_addresses_in_any_case(caller: Caller) -> None:
    target = caller.service.workspace.id.replace("resourceGroups", "resourcegroups").upper()
    headers = {"Authorization": f"Bearer {caller.token()}"}
    answer = caller.request("GET", f"{target}?api-version={API_VERSION}", headers=headers)
    assert answer.status == 200


def test_refuses_a_method_that_is_not_there(caller: Caller) -> None:
    answer = caller.arm("PATCH", "/jobs/one")
    assert answer.status == 405 and "PUT" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "properties", "told"),
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
        pytest.param("/components/c/versions/1", {}, "componentSpec", id="component"),
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
def test_refuses_an_asset_that_lacks_something(
    caller: Caller, path: str, properties: Mapping[str, Any], told: str
) -> None:
    answer = caller.arm("PUT", path, {"properties": properties})
    assert answer.status == 400
    assert told in answer.json()["error"]["message"]
    assert caller.arm("GET", path).status == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"properties": 1}'])
def test_refuses_a_body_of_another_shape(caller: Caller, body: bytes) -> None:
    target = f"{caller.service.workspace.id}/jobs/x?api-version={API_VERSION}"
    answer = caller.request("PUT", target, body, {"Authorization": f"Bearer {caller.token()}"})
    assert (answer.status, answer.code) == (400, "InvalidRequestContent")


def test_a_version_is_made_once(caller: Caller) -> None:
    path = "/environments/once/versions/1"
    first = {"properties": {"image": "a:1", "tags": {"k": "v"}}}
    assert caller.arm("PUT", path, first).status == 201
    assert caller.arm("PUT", path, first).status == 200
    assert caller.arm("PUT", path, {"properties": {"image": "a:1", "tags": {}}}).status == 200
    other = caller.arm("PUT", path, {"properties": {"image": "b:1"}})
    assert (other.status, other.code) == (409, "UserError")
    assert caller.arm("GET", path).json()["properties"]["image"] == "a:1"


def test_an_address_is_the_same_after_a_new_start_on_another_port(caller: Caller) -> None:
    path = "/environments/moved/versions/1"
    place = "standin.blob.core.azure.standin/c/LocalUpload/x"
    for host, status in (("127.0.0.1:1", 201), ("127.0.0.1:2", 200)):
        build = {"contextUri": f"https://{host}/{place}"}
        assert caller.arm("PUT", path, {"properties": {"build": build}}).status == status
    build = {"contextUri": f"https://127.0.0.1:2/{place}y"}
    assert caller.arm("PUT", path, {"properties": {"build": build}}).status == 409


def test_code_keeps_its_address(caller: Caller) -> None:
    caller.put_code("fixed")
    kept = caller.arm("GET", "/codes/fixed/versions/1").json()["properties"]["codeUri"]
    changed = {"properties": {"codeUri": kept.replace("/code", "/other")}}
    answer = caller.arm("PUT", "/codes/fixed/versions/1", changed)
    assert answer.json()["error"]["message"] == "Asset paths cannot be updated."


def test_an_upload_that_is_asked_for_again_goes_on_in_the_same_container(caller: Caller) -> None:
    def place() -> str:
        asked = {"pendingUploadType": "TemporaryBlobReference"}
        given = caller.arm("POST", "/codes/again/versions/1/startPendingUpload", asked).json()
        return str(given["blobReferenceForConsumption"]["blobUri"])

    assert place() == place()
    wrong = caller.arm("POST", "/codes/again/versions/1/startPendingUpload", {"a": 1})
    assert wrong.status == 400


@pytest.mark.parametrize(
    ("changes", "told"),
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
def test_refuses_a_job_that_is_not_whole(
    caller: Caller, changes: dict[str, Any], told: str
) -> None:
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
    assert answer.status == 400 and told in answer.json()["error"]["message"]
    assert "broken" not in caller.service.jobs.names()


def test_refuses_a_name_that_no_job_can_have(caller: Caller) -> None:
    assert caller.arm("PUT", "/jobs/a.b", caller.command_job()).status == 400


def test_a_job_is_made_once(caller: Caller) -> None:
    body = caller.command_job("echo once")
    assert caller.arm("PUT", "/jobs/once", body).status == 201
    assert caller.arm("PUT", "/jobs/once", body).status == 200
    wait_for_end(caller.service, "once")
    # As a client sends it that has read it before.
    assert caller.arm("PUT", "/jobs/once", caller.arm("GET", "/jobs/once").json()).status == 200
    answer = caller.arm("PUT", "/jobs/once", caller.command_job("echo twice"))
    assert (answer.status, answer.code) == (400, "UserError")
    assert "A job with this name already exists" in answer.json()["error"]["message"]
    assert "command cannot be changed" in answer.json()["error"]["message"]
    assert caller.service.jobs.names().count("once") == 1


def test_tags_may_change_and_stay(caller: Caller) -> None:
    caller.arm("PUT", "/jobs/tagged", caller.command_job(tags={"a": "1"}))
    caller.arm("PUT", "/jobs/tagged", caller.command_job(tags={"b": "2"}, displayName="New"))
    shown = caller.arm("GET", "/jobs/tagged").json()["properties"]
    assert shown["tags"] == {"a": "1", "b": "2"} and shown["displayName"] == "New"


def test_lists_page_by_page(caller: Caller) -> None:
    for number in range(3):
        caller.put_environment("paged", str(number + 1))
    found = caller.arm("GET", "/environments/paged/versions", **{"$orderBy": "createdtime desc"})
    assert [each["name"] for each in found.json()["value"]] == ["3", "2", "1"]
    assert (
        len(caller.arm("GET", "/environments/paged/versions", **{"$top": "1"}).json()["value"]) == 1
    )
    assert caller.arm("GET", "/environments/none/versions").status == 404


@pytest.mark.parametrize(
    ("credentials", "told"),
    [("AccountKey", "key"), ("Sas", "sasToken"), ("None", None)],
)
def test_a_datastore_gives_what_it_is_signed_in_to_with(
    caller: Caller, credentials: str, told: str | None
) -> None:
    control = caller.service.control
    before, control.datastore_credentials = control.datastore_credentials, credentials
    try:
        shown = caller.arm("GET", "/datastores/workspaceblobstore").json()["properties"]
        answer = caller.arm("POST", "/datastores/workspaceblobstore/listSecrets", {})
    finally:
        control.datastore_credentials = before
    assert shown["credentials"] == {"credentialsType": credentials}
    if told is None:
        assert answer.status == 400
    else:
        assert answer.json()[told]
    assert caller.arm("GET", "/datastores/none").status == 404


def test_knows_its_computes(caller: Caller) -> None:
    assert caller.arm("GET", "/computes/cpu-cluster").status == 200
    assert caller.arm("GET", "/computes/none").status == 404


def test_cancels_what_waits_and_refuses_what_has_ended(caller: Caller) -> None:
    caller.arm("PUT", "/jobs/long", caller.command_job("sleep 60"))
    answer = caller.arm("POST", "/jobs/long/cancel")
    assert answer.status == 202 and answer.headers["retry-after"] == "1"
    location = answer.headers["location"][len(caller.service.url) :]
    headers = {"Authorization": f"Bearer {caller.token()}"}
    assert caller.request("GET", location, headers=headers).status in (200, 202)
    assert wait_for_end(caller.service, "long") == "Canceled"
    assert caller.request("GET", location, headers=headers).status == 200
    assert caller.request("GET", location).status == 401
    again = caller.arm("POST", "/jobs/long/cancel")
    assert again.status == 400 and "has ended already" in again.json()["error"]["message"]
    assert caller.arm("POST", "/jobs/none/cancel").status == 404

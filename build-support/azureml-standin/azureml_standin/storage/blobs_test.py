"""Test what blob storage refuses, and copies within the account."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient
from azureml_standin.conftest import Answer, Caller

ACCOUNT = "/standin.blob.core.azure.standin"


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@pytest.fixture
def container(
    caller: Caller, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContainerClient]:
    """A new container, for a client with the account's key."""
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with BlobServiceClient(
        caller.service.url + ACCOUNT,
        credential=caller.service.access.key,
        connection_verify=str(caller.service.authority.ca_file),
        retry_total=0,
    ) as client:
        name = f"c{abs(hash(request.node.name)) % 10**12}"
        caller.service.state.add_container(name)
        yield client.get_container_client(name)


def plain(
    caller: Caller,
    container: ContainerClient,
    method: str,
    name: str,
    body: bytes = b"",
    permissions: str = "rcwdl",
    query: str = "",
    **headers: str,
) -> Answer:
    """Send a request with a shared access signature for the container."""
    signature = caller.service.access.signature(container.container_name, permissions)
    target = f"{ACCOUNT}/{container.container_name}/{quote(name)}?{signature}{query}"
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    if method == "PUT" and "comp=" not in query:
        named.setdefault("x-ms-blob-type", "BlockBlob")
    return caller.request(method, target, body, named)


def copy_at_once(
    caller: Caller,
    container: ContainerClient,
    source: str = "from",
    readable: str | None = None,
    permissions: str = "cw",
    **headers: str,
) -> Answer:
    """Send Copy Blob From URL. The source has a signature for the container `readable`."""
    signature = caller.service.access.signature(readable or container.container_name, "r")
    address = f"{caller.service.url}{ACCOUNT}/{container.container_name}/{quote(source)}"
    target = f"{ACCOUNT}/{container.container_name}/to"
    allowed = caller.service.access.signature(container.container_name, permissions)
    given = {"x-ms-copy-source": f"{address}?{signature}", "x-ms-requires-sync": "true"}
    given.update((key.replace("_", "-"), value) for key, value in headers.items())
    return caller.request("PUT", f"{target}?{allowed}", b"", given)


def test_a_copy_at_once_needs_a_token_or_signature_for_its_source(
    caller: Caller, container: ContainerClient
) -> None:
    container.upload_blob("from", b"content")
    source, copied = container.get_blob_client("from").url, container.get_blob_client("to")
    token = f"Bearer {caller.token('https://storage.azure.com')}"
    copied.start_copy_from_url(source, requires_sync=True, source_authorization=token)
    assert copied.download_blob().readall() == b"content"
    other = f"Bearer {caller.token('https://ml.azure.com')}"
    with pytest.raises(HttpResponseError) as raised:
        copied.start_copy_from_url(source, requires_sync=True, source_authorization=other)
    assert "ErrorCode:CannotVerifyCopySource" in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"source": "none"}, 404, "CannotVerifyCopySource"),
        ({"readable": "another"}, 403, "CannotVerifyCopySource"),
        ({"source": "empty"}, 400, "CannotVerifyCopySource"),
        ({"permissions": "r"}, 403, "AuthorizationPermissionMismatch"),
        ({"x_ms_source_content_md5": md5_of(b"another")}, 400, "Md5Mismatch"),
        ({"x_ms_copy_source": "https://elsewhere.example/a/b"}, 400, "InvalidHeaderValue"),
        ({"if_none_match": "*"}, 409, "BlobAlreadyExists"),
    ],
    ids=[
        *("no source", "a signature for another container", "an empty source"),
        *("no right to write", "another MD5", "outside of the account", "an existing target"),
    ],
)
def test_refuses_a_copy(
    caller: Caller,
    container: ContainerClient,
    changes: dict[str, str],
    status: int,
    code: str,
) -> None:
    for name, content in {"from": b"content", "empty": b"", "to": b"old"}.items():
        container.upload_blob(name, content)
    refused = copy_at_once(caller, container, **changes)
    assert (refused.status, refused.headers["x-ms-error-code"]) == (status, code)
    assert container.download_blob("to").readall() == b"old"


@pytest.mark.parametrize(
    ("permissions", "method", "status"),
    [("r", "GET", 404), ("r", "PUT", 403), ("cw", "PUT", 201), ("w", "GET", 403)],
)
def test_a_signature_allows_only_what_it_names(
    caller: Caller, container: ContainerClient, permissions: str, method: str, status: int
) -> None:
    assert plain(caller, container, method, "x", permissions=permissions).status == status


def test_refuses_an_expired_or_changed_signature(
    caller: Caller, container: ContainerClient
) -> None:
    access = caller.service.access
    access.sas_seconds = -1
    try:
        late = plain(caller, container, "GET", "x")
    finally:
        access.sas_seconds = 3600
    assert late.status == 403 and b"not valid in the specified time frame" in late.body
    signature = access.signature(container.container_name, "r").replace("sp=r", "sp=rw")
    target = f"{ACCOUNT}/{container.container_name}/x?{signature}"
    assert b"Signature did not match" in caller.request("GET", target).body
    other = access.signature("another", "r")
    assert caller.request("GET", f"{ACCOUNT}/{container.container_name}/x?{other}").status == 403


def test_accepts_only_tokens_for_storage(caller: Caller, container: ContainerClient) -> None:
    target = f"{ACCOUNT}/{container.container_name}/x"
    for audience, status in (("https://storage.azure.com", 404), ("https://ml.azure.com", 401)):
        headers = {
            "Authorization": f"Bearer {caller.token(audience)}",
            "x-ms-version": "2025-11-05",
        }
        assert caller.request("GET", target, headers=headers).status == status
    assert caller.request("GET", target).headers["x-ms-error-code"] == "PublicAccessNotPermitted"


def test_refuses_another_key(caller: Caller, container: ContainerClient) -> None:
    other = ContainerClient(
        caller.service.url + ACCOUNT,
        container.container_name,
        credential=base64.b64encode(b"x" * 64).decode(),
        connection_verify=str(caller.service.authority.ca_file),
        retry_total=0,
    )
    with other, pytest.raises(ClientAuthenticationError):
        other.upload_blob("x", b"1")

"""Blob storage by Azure's own client, and by plain requests where that hides the shape."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient
from azureml_standin.conftest import Answered, Caller

ACCOUNT = "/standin.blob.core.azure.standin"


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@pytest.fixture
def container(
    caller: Caller, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContainerClient]:
    """A new container, for a client that has the account's key."""
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with BlobServiceClient(
        caller.service.url + ACCOUNT,
        credential=caller.service.access.key,
        connection_verify=str(caller.service.authority.ca_file),
        retry_total=0,
    ) as client:
        made = client.create_container(f"c{abs(hash(request.node.name)) % 10**12}")
        yield made
        made.delete_container()


def plain(
    caller: Caller,
    container: ContainerClient,
    method: str,
    name: str,
    body: bytes = b"",
    permissions: str = "rcwdl",
    query: str = "",
    **headers: str,
) -> Answered:
    """A request with a shared access signature for the container."""
    signature = caller.service.access.signature(container.container_name, permissions)
    target = f"{ACCOUNT}/{container.container_name}/{quote(name)}?{signature}{query}"
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    if method == "PUT" and "comp=" not in query:
        named.setdefault("x-ms-blob-type", "BlockBlob")
    return caller.request(method, target, body, named)


def test_has_nothing_behind_the_end(container: ContainerClient) -> None:
    container.upload_blob("x", b"1")
    with pytest.raises(HttpResponseError) as raised:
        container.download_blob("x", 1, 1).readall()
    assert raised.value.status_code == 416


def test_tells_of_a_part_where_it_is_and_its_md5(
    caller: Caller, container: ContainerClient
) -> None:
    plain(caller, container, "PUT", "x", b"0123456789")
    got = plain(
        *(caller, container, "GET", "x"),
        Range="bytes=2-4",
        x_ms_range_get_content_md5="true",
    )
    assert (got.status, got.body) == (206, b"234")
    assert got.headers["content-range"] == "bytes 2-4/10"
    assert got.headers["content-md5"] == md5_of(b"234")
    assert got.headers["x-ms-blob-content-md5"] == md5_of(b"0123456789")


def test_refuses_a_list_of_blocks_that_never_came(
    caller: Caller, container: ContainerClient
) -> None:
    listed = b"<BlockList><Latest>bm9uZQ==</Latest></BlockList>"
    answer = plain(caller, container, "PUT", "x", listed, query="&comp=blocklist")
    assert answer.status == 400 and answer.headers["x-ms-error-code"] == "InvalidBlockList"
    broken = plain(caller, container, "PUT", "x", b"<Block", query="&comp=blocklist")
    assert broken.headers["x-ms-error-code"] == "InvalidXmlDocument"


def test_conditions_are_kept(caller: Caller, container: ContainerClient) -> None:
    etag = plain(caller, container, "PUT", "x", b"1").headers["etag"]
    assert plain(caller, container, "GET", "x", if_none_match=etag).status == 304
    assert plain(caller, container, "PUT", "x", b"2", if_match='"0x1"').status == 412
    assert plain(caller, container, "PUT", "x", b"2", if_match=etag).status == 201


def test_refuses_what_changed_on_its_way(caller: Caller, container: ContainerClient) -> None:
    answer = plain(caller, container, "PUT", "x", b"1", Content_MD5=md5_of(b"2"))
    assert (answer.status, answer.headers["x-ms-error-code"]) == (400, "Md5Mismatch")
    assert plain(caller, container, "GET", "x").status == 404


def copy_at_once(
    caller: Caller,
    container: ContainerClient,
    source: str = "from",
    readable: str | None = None,
    permissions: str = "cw",
    **headers: str,
) -> Answered:
    """Copy Blob From URL. `readable` is the container that the signature of the source is for."""
    signature = caller.service.access.signature(readable or container.container_name, "r")
    address = f"{caller.service.url}{ACCOUNT}/{container.container_name}/{quote(source)}"
    target = f"{ACCOUNT}/{container.container_name}/to"
    allowed = caller.service.access.signature(container.container_name, permissions)
    given = {"x-ms-copy-source": f"{address}?{signature}", "x-ms-requires-sync": "true"}
    given.update((key.replace("_", "-"), value) for key, value in headers.items())
    return caller.request("PUT", f"{target}?{allowed}", b"", given)


def test_copies_at_once(caller: Caller, container: ContainerClient) -> None:
    container.upload_blob("from", b"content", metadata={"k": "v"})
    made = copy_at_once(caller, container, x_ms_source_content_md5=md5_of(b"content"))
    assert (made.status, made.headers["x-ms-copy-status"]) == (202, "success")
    assert made.headers["content-md5"] == md5_of(b"content")
    blob = container.get_blob_client("to")
    assert blob.download_blob().readall() == b"content"
    shown = blob.get_blob_properties()
    assert (bytes(shown.content_settings.content_md5 or b""), shown.metadata) == (
        base64.b64decode(md5_of(b"content")),
        {"k": "v"},
    )


def test_azures_own_client_copies_at_once_with_a_token(
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
    # The key, by which this client goes, is not enough for it.
    with pytest.raises(HttpResponseError) as raised:
        copied.start_copy_from_url(source, requires_sync=True)
    assert raised.value.status_code == 409


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"source": "none"}, 404, "CannotVerifyCopySource"),
        ({"readable": "another"}, 403, "CannotVerifyCopySource"),
        ({"source": "empty"}, 400, "CannotVerifyCopySource"),
        ({"permissions": "r"}, 403, "AuthorizationPermissionMismatch"),
        ({"x_ms_source_content_md5": md5_of(b"another")}, 400, "Md5Mismatch"),
        ({"x_ms_requires_sync": "yes"}, 400, "InvalidHeaderValue"),
        ({"x_ms_copy_source": f"https://x/{'y' * 2048}"}, 400, "InvalidHeaderValue"),
        ({"x_ms_copy_source": "https://elsewhere.example/a/b"}, 400, "InvalidHeaderValue"),
        ({"if_none_match": "*"}, 409, "BlobAlreadyExists"),
    ],
    ids=[
        *("no source", "a signature for another container", "an empty source"),
        *("no right to write", "another MD5", "neither true nor false", "too long an address"),
        *("outside of the account", "only where there is none"),
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


def test_a_source_in_a_container_that_is_gone_is_not_copied(
    caller: Caller, container: ContainerClient
) -> None:
    name = "gone-container"
    signature = caller.service.access.signature(name, "r")
    address = f"{caller.service.url}{ACCOUNT}/{name}/x?{signature}"
    refused = copy_at_once(caller, container, x_ms_copy_source=address)
    assert (refused.status, refused.headers["x-ms-error-code"]) == (404, "CannotVerifyCopySource")


def test_copies_no_more_than_256_mib_at_once(
    caller: Caller, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azureml_standin.storage.copies._COPY_FROM_URL_BYTES", 6)
    container.upload_blob("from", b"content")
    assert copy_at_once(caller, container).status == 409


@pytest.mark.parametrize(
    ("permissions", "method", "status"),
    [
        *(("r", "GET", 404), ("r", "PUT", 403), ("cw", "PUT", 201), ("w", "GET", 403)),
        *(("l", "GET", 403), ("rcw", "DELETE", 403)),
    ],
)
def test_a_signature_allows_what_it_names(
    caller: Caller, container: ContainerClient, permissions: str, method: str, status: int
) -> None:
    assert plain(caller, container, method, "x", permissions=permissions).status == status


def test_a_signature_ends_and_cannot_be_changed(caller: Caller, container: ContainerClient) -> None:
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


def test_takes_a_token_for_storage_and_no_other(caller: Caller, container: ContainerClient) -> None:
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


def test_says_what_is_not_there(caller: Caller, container: ContainerClient) -> None:
    with pytest.raises(ResourceNotFoundError) as raised:
        container.download_blob("none")
    assert "ErrorCode:BlobNotFound" in str(raised.value)
    signature = caller.service.access.signature("none")
    answer = caller.request("GET", f"{ACCOUNT}/none/x?{signature}")
    assert answer.headers["x-ms-error-code"] == "ContainerNotFound"
    page_blob = plain(caller, container, "PUT", "x", x_ms_blob_type="PageBlob")
    assert page_blob.status == 400
    assert plain(caller, container, "PUT", "x", query="&comp=page").status == 400
    assert caller.request("GET", f"{ACCOUNT}/A_B/x").headers["x-ms-error-code"] == (
        "InvalidResourceName"
    )


def test_many_write_at_once(caller: Caller, container: ContainerClient) -> None:
    failed: list[Any] = []

    def write(number: int) -> None:
        for each in range(10):
            answer = plain(caller, container, "PUT", f"{number}/{each}", b"%d" % number)
            if answer.status != 201:
                failed.append(answer)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(caller.service.blobs.blobs(str(container.container_name))) == 200

"""Test blob storage with Azure's own client and with the tool's."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings
from azureml_jobs.azure import send_files
from azureml_jobs.azure.blobs import Container, CopySource
from azureml_jobs.azure.connection import Connection
from azureml_jobs.azure.sas import sas_of_key
from azureml_standin.conftest import Answer, Caller

ACCOUNT = "/standin.blob.core.azure.standin"
STORAGE, OTHER = "https://storage.azure.com", "https://ml.azure.com"
NAMES = ["a/x.txt", "a/ü b+c%.txt", "a/y/z.txt", "b.txt", "a&<1>.txt"]


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
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(caller.service.authority.ca_file))
    url, key = caller.service.url + ACCOUNT, caller.service.access.key
    with BlobServiceClient(url, credential=key, retry_total=0) as client:
        name = f"c{abs(hash(request.node.name)) % 10**12}"
        caller.service.state.add_container(name)
        yield client.get_container_client(name)


def test_keeps_content_properties_and_metadata(container: ContainerClient) -> None:
    blob = container.get_blob_client("a/ü b.txt")
    settings = ContentSettings("text/plain")
    blob.upload_blob(b"content", metadata={"k": "v"}, content_settings=settings)
    shown = blob.get_blob_properties()
    assert (shown.size, shown.metadata) == (7, {"k": "v"})
    assert shown.content_settings.content_type == "text/plain"
    md5 = shown.content_settings.content_md5 or b""
    assert base64.b64encode(md5).decode() == md5_of(b"content")
    assert blob.download_blob().readall() == b"content"
    assert blob.download_blob(2, 3).readall() == b"nte"
    blob.set_blob_metadata({"other": "1"})
    changed = blob.get_blob_properties()
    assert changed.metadata == {"other": "1"} and changed.etag != shown.etag
    assert not container.get_blob_client("none").exists()


def test_uploads_large_blobs_in_blocks(container: ContainerClient) -> None:
    content = os.urandom(9 << 20)
    container._config.max_single_put_size = 1 << 20
    container._config.max_block_size = 2 << 20
    blob = container.upload_blob("large", content, max_concurrency=3)
    assert blob.download_blob(max_concurrency=3).readall() == content


def test_lists_by_prefix_and_page(container: ContainerClient) -> None:
    for name in NAMES:
        container.upload_blob(name, b"")
    assert [blob.name for blob in container.list_blobs()] == sorted(NAMES)
    assert [blob.name for blob in container.list_blobs("a/y")] == ["a/y/z.txt"]
    pages = container.list_blobs(results_per_page=2).by_page()
    assert [len(list(page)) for page in pages] == [2, 2, 1]


def test_does_not_overwrite_a_blob_unless_requested(container: ContainerClient) -> None:
    container.upload_blob("x", b"1")
    with pytest.raises(ResourceExistsError) as raised:
        container.upload_blob("x", b"2")
    assert "ErrorCode:BlobAlreadyExists" in str(raised.value)
    container.upload_blob("x", b"3", overwrite=True)
    assert container.download_blob("x").readall() == b"3"


def test_the_tool_sends_lists_reads_and_copies(
    container: ContainerClient, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_files, "SINGLE_PUT_BYTES", 1 << 20)
    monkeypatch.setattr(send_files, "BLOCK_BYTES", 1 << 20)
    contents = {"x": b"small", "ü b+c%/y": os.urandom((2 << 20) + 1), "empty": b""}
    files = []
    for number, (name, content) in enumerate(contents.items()):
        path = tmp_path / str(number)
        path.write_bytes(content)
        files.append(send_files.LocalFile(name, path, len(content)))
    name = str(container.container_name)
    sas = sas_of_key("standin", name, caller.service.access.key)
    tool = Container(Connection(patience=5), f"{caller.service.url}{ACCOUNT}/{name}", sas)
    assert send_files.missing_files(tool, files, "p/") == files
    send_files.send_files(tool, files, "p/", "")
    assert send_files.missing_files(tool, files, "p/") == []
    assert tool.exists("p/x") and not tool.exists("p/none")
    for blob in tool.list("p/"):
        content = contents[blob.name.removeprefix("p/")]
        assert (blob.size, blob.md5) == (len(content), md5_of(content))
        if content:
            got = bytearray()
            tool.read(blob, 2, got.extend)
            assert bytes(got) == content[2:]
    tool.copy("copy", CopySource(f"{tool.address}/p/x?{sas}"), files[0].path)
    assert container.download_blob("copy").readall() == b"small"


def test_a_copy_needs_a_token_for_its_source(caller: Caller, container: ContainerClient) -> None:
    container.upload_blob("from", b"content")
    source, copied = container.get_blob_client("from").url, container.get_blob_client("to")
    token = f"Bearer {caller.token(STORAGE)}"
    copied.start_copy_from_url(source, requires_sync=True, source_authorization=token)
    assert copied.download_blob().readall() == b"content"
    other = f"Bearer {caller.token(OTHER)}"
    with pytest.raises(HttpResponseError) as raised:
        copied.start_copy_from_url(source, requires_sync=True, source_authorization=other)
    assert "ErrorCode:CannotVerifyCopySource" in str(raised.value)


def test_accepts_only_what_was_signed_for_a_container_and_a_right(
    caller: Caller, container: ContainerClient
) -> None:
    name, access = str(container.container_name), caller.service.access

    def ask(query: str, method: str = "GET", **headers: str) -> Answer:
        named = {"x-ms-blob-type": "BlockBlob", **headers}
        return caller.request(method, f"{ACCOUNT}/{name}/{quote('x')}?{query}", headers=named)

    rights = (("r", "GET", 404), ("r", "PUT", 403), ("cw", "PUT", 201), ("w", "GET", 403))
    for permissions, method, status in rights:
        assert ask(access.signature(name, permissions), method).status == status
    signature = access.signature(name, "r")
    assert b"Signature did not match" in ask(signature.replace("sp=r", "sp=rw")).body
    assert ask(access.signature("another", "r")).status == 403
    access.sas_seconds = -1
    try:
        assert b"not valid in the specified time frame" in ask(access.signature(name, "r")).body
    finally:
        access.sas_seconds = 3600
    for audience, status in ((STORAGE, 200), (OTHER, 401)):
        assert ask("", Authorization=f"Bearer {caller.token(audience)}").status == status
    assert ask("").headers["x-ms-error-code"] == "PublicAccessNotPermitted"

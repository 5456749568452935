"""Test who may read, write and copy blobs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azureml_standin.conftest import Answer, Caller

ACCOUNT = "/standin.blob.core.azure.standin"
STORAGE, OTHER = "https://storage.azure.com", "https://ml.azure.com"


@pytest.fixture
def container(
    caller: Caller, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContainerClient]:
    """A new container, for a client with the account's key."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(caller.service.authority.ca_file))
    url, key = caller.service.url + ACCOUNT, caller.service.access.key
    with BlobServiceClient(url, credential=key, retry_total=0) as client:
        name = f"c{abs(hash(request.node.name)) % 10**12}"
        caller.service.state.add_container(name)
        yield client.get_container_client(name)


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
    expired = access.signature(name, "r", seconds=-1)
    assert b"not valid in the specified time frame" in ask(expired).body
    for audience, status in ((STORAGE, 200), (OTHER, 401)):
        assert ask("", Authorization=f"Bearer {caller.token(audience)}").status == status
    assert ask("").headers["x-ms-error-code"] == "PublicAccessNotPermitted"

"""Test clients of blob storage with the stand-in and, if it is installed, with Azurite.

Azurite (npm package `azurite`) is Microsoft's own emulator, so it confirms what we emulate.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings
from azureml_jobs.azure import send_files
from azureml_jobs.azure.blobs import Container, CopySource, sas_of_key
from azureml_jobs.azure.connection import Connection
from azureml_standin.service import Service

AZURITE = shutil.which("azurite-blob")
KEY = base64.b64encode(b"standin" * 8).decode()
NAMES = ["a/x.txt", "a/ü b+c%.txt", "a/y/z.txt", "b.txt", "a&<1>.txt"]


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@dataclass
class Account:
    url: str
    name: str
    key: str
    ca_file: str


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    if AZURITE is None:
        pytest.skip("Azurite is not installed")
    folder = tmp_path_factory.mktemp("azurite")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    with subprocess.Popen(
        [
            *(AZURITE, "--blobHost", "127.0.0.1", "--blobPort", "0", "--silent"),
            *("--location", str(folder), "--skipApiVersionCheck", "--disableTelemetry"),
            *("--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")),
        ],
        env={**os.environ, "AZURITE_ACCOUNTS": f"standin:{KEY}"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            output = ""
            while not (found := re.search(r"listens on (https://127\.0\.0\.1:\d+)", output)):
                line = process.stdout.readline()
                assert line, output
                output += line
            yield Account(f"{found[1]}/standin", "standin", KEY, str(folder / "ca.pem"))
        finally:
            process.terminate()


@pytest.fixture(params=["stand-in", "azurite"])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Account:
    if request.param == "azurite":
        found: Account = request.getfixturevalue("azurite")
    else:
        service: Service = request.getfixturevalue("service")
        host = "standin.blob.core.azure.standin"
        found = Account(
            f"{service.url}/{host}",
            "standin",
            service.access.key,
            str(service.authority.ca_file),
        )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", found.ca_file)
    return found


@pytest.fixture
def container(account: Account, request: pytest.FixtureRequest) -> Iterator[ContainerClient]:
    """A new container, for Azure's own client."""
    with BlobServiceClient(account.url, credential=account.key, retry_total=0) as client:
        name = f"c{abs(hash(request.node.name)) % 10**12}"
        if "azurite" in request.node.name:
            client.create_container(name)
        else:
            request.getfixturevalue("service").state.add_container(name)
        yield client.get_container_client(name)


def test_keeps_content_properties_and_metadata(container: ContainerClient) -> None:
    blob = container.get_blob_client("a/ü b.txt")
    blob.upload_blob(
        b"content", metadata={"k": "v"}, content_settings=ContentSettings("text/plain")
    )
    shown = blob.get_blob_properties()
    assert (shown.size, shown.metadata) == (7, {"k": "v"})
    assert shown.content_settings.content_type == "text/plain"
    assert base64.b64encode(shown.content_settings.content_md5 or b"").decode() == (
        md5_of(b"content")
    )
    assert blob.download_blob().readall() == b"content"
    blob.set_blob_metadata({"other": "1"})
    changed = blob.get_blob_properties()
    assert changed.metadata == {"other": "1"} and changed.etag != shown.etag
    assert not container.get_blob_client("none").exists()


def test_reads_parts(container: ContainerClient) -> None:
    blob = container.get_blob_client("x")
    blob.upload_blob(bytes(range(200)))
    assert blob.download_blob(10, 5).readall() == bytes(range(10, 15))
    assert blob.download_blob(190).readall() == bytes(range(190, 200))


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
    account: Account, container: ContainerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    sas = sas_of_key(account.name, name, account.key)
    tool = Container(Connection(patience=5), f"{account.url}/{name}", sas)
    assert send_files.missing_files(tool, files, "p/") == files
    send_files.send_files(tool, files, "p/", "")
    assert send_files.missing_files(tool, files, "p/") == []
    for blob in tool.list("p/"):
        content = contents[blob.name.removeprefix("p/")]
        assert (blob.size, blob.md5) == (len(content), md5_of(content))
        if content:
            got = bytearray()
            tool.read(blob, 2, got.extend)
            assert bytes(got) == content[2:]
    tool.copy("copy", CopySource(f"{tool.address}/p/x?{sas}"), files[0].path)
    assert container.download_blob("copy").readall() == b"small"

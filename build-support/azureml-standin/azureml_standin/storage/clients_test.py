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
import uuid
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


@dataclass
class Account:
    url: str
    key: str
    ca_file: str
    service: Service | None = None


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
            yield Account(f"{found[1]}/standin", KEY, str(folder / "ca.pem"))
        finally:
            process.terminate()


@pytest.fixture(params=["stand-in", "azurite"])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Account:
    if request.param == "azurite":
        found: Account = request.getfixturevalue("azurite")
    else:
        service: Service = request.getfixturevalue("service")
        url = f"{service.url}/standin.blob.core.azure.standin"
        found = Account(url, service.access.key, str(service.authority.ca_file), service)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", found.ca_file)
    return found


@pytest.fixture
def container(account: Account) -> Iterator[ContainerClient]:
    """A new container, for Azure's own client."""
    with BlobServiceClient(account.url, credential=account.key, retry_total=0) as client:
        container = client.get_container_client(f"c{uuid.uuid4().hex}")
        if account.service is None:
            container.create_container()
        else:
            account.service.state.add_container(str(container.container_name))
        yield container


def test_keeps_content_properties_and_metadata(container: ContainerClient) -> None:
    blob, content = container.get_blob_client("a/ü b.txt"), bytes(range(200))
    kind = ContentSettings("text/plain")
    blob.upload_blob(content, metadata={"k": "v"}, content_settings=kind)
    shown = blob.get_blob_properties()
    assert (shown.size, shown.metadata) == (200, {"k": "v"})
    assert shown.content_settings.content_type == "text/plain"
    assert bytes(shown.content_settings.content_md5 or b"") == hashlib.md5(content).digest()
    assert blob.download_blob().readall() == content
    assert blob.download_blob(10, 5).readall() == content[10:15]
    blob.set_blob_metadata({"other": "1"})
    changed = blob.get_blob_properties()
    assert changed.metadata == {"other": "1"} and changed.etag != shown.etag
    assert not container.get_blob_client("none").exists()
    with pytest.raises(ResourceExistsError, match="BlobAlreadyExists"):
        blob.upload_blob(b"2")
    blob.upload_blob(b"3", overwrite=True)
    assert blob.download_blob().readall() == b"3"


def test_lists_by_prefix_and_page(container: ContainerClient) -> None:
    for name in NAMES:
        container.upload_blob(name, b"")
    assert [blob.name for blob in container.list_blobs()] == sorted(NAMES)
    assert [blob.name for blob in container.list_blobs("a/y")] == ["a/y/z.txt"]
    pages = container.list_blobs(results_per_page=2).by_page()
    assert [len(list(page)) for page in pages] == [2, 2, 1]


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
    sas = sas_of_key("standin", name, account.key)
    tool = Container(Connection(), f"{account.url}/{name}", sas)
    assert send_files.missing_files(tool, files, "p/") == files
    send_files.send_files(tool, files, "p/", "")
    assert send_files.missing_files(tool, files, "p/") == []
    for blob in tool.list("p/"):
        content = contents[blob.name.removeprefix("p/")]
        md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        assert (blob.size, blob.md5) == (len(content), md5)
        if content:
            got = bytearray()
            tool.read(blob, 2, got.extend)
            assert bytes(got) == content[2:]
    tool.copy("copy", CopySource(f"{tool.address}/p/x?{sas}"), files[0].path)
    assert container.download_blob("copy").readall() == b"small"

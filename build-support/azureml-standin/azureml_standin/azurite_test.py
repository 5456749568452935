"""The same storage by Azurite, where it is installed: `npm install --global azurite`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient
from azureml_jobs.base.errors import OutsideError
from azureml_standin import faults
from azureml_standin.azurite import find_azurite
from azureml_standin.conftest import Caller, wait_for_end
from azureml_standin.start import Service, running_service

AZURITE = find_azurite()
needs_azurite = pytest.mark.skipif(AZURITE is None, reason="Azurite is not installed")
ACCOUNT = "/standin.blob.core.azure.standin"


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service"), azurite=AZURITE) as service:
        yield service
        assert service.failures == []


@needs_azurite
def test_a_job_runs_on_what_azurite_keeps(azurite: Service) -> None:
    caller = Caller(azurite)
    code = caller.put_code("code", {"main.py": b"print('by azurite')", "sub/x y": b"1"})
    body = caller.command_job("python main.py; cat 'sub/x y'", codeId=code)
    assert caller.arm("PUT", "/jobs/one", body).status == 201
    assert wait_for_end(azurite, "one") == "Completed"
    log = azurite.blobs.blob("azureml", "ExperimentRun/dcid.one/user_logs/std_log.txt")
    assert log is not None and log.file.read_text() == "by azurite\n1"
    container = azurite.state.documents("uploads")[0]["container"]
    names = [blob.name for blob in azurite.blobs.blobs(container)]
    assert names == ["code/main.py", "code/sub/x y"]


@needs_azurite
def test_azures_own_client_finds_what_it_wrote(
    azurite: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with BlobServiceClient(
        azurite.url + ACCOUNT,
        credential=azurite.access.key,
        connection_verify=str(azurite.authority.ca_file),
    ) as client:
        container = client.create_container("things")
        container.upload_blob("a/ü b", b"0123456789", metadata={"k": "v"})
        large = os.urandom(3 << 20)
        container._config.max_single_put_size = 1 << 20
        container._config.max_block_size = 1 << 20
        container.upload_blob("large", large)
        assert container.download_blob("large").readall() == large
        assert container.download_blob("a/ü b", 2, 3).readall() == b"234"
        assert [blob.name for blob in container.list_blobs(include="metadata")] == [
            "a/ü b",
            "large",
        ]
        copied = container.get_blob_client("copy")
        source = container.get_blob_client("a/ü b").url
        assert copied.start_copy_from_url(source)["copy_status"] == "success"
        assert copied.get_blob_properties().metadata == {"k": "v"}
        at_once = container.get_blob_client("at once")
        signed = f"{source}?{azurite.access.signature('things', 'r')}"
        made = at_once.start_copy_from_url(signed, requires_sync=True)
        assert made["copy_status"] == "success"
        assert at_once.download_blob().readall() == b"0123456789"
        with pytest.raises(HttpResponseError, match="CannotVerifyCopySource"):
            at_once.start_copy_from_url(source, requires_sync=True)
        copied.delete_blob()
        assert not copied.exists()
        container.delete_container()


@needs_azurite
def test_signatures_and_faults_are_still_the_services_own(azurite: Service) -> None:
    caller = Caller(azurite)
    azurite.state.add_container("guarded")
    target = f"{ACCOUNT}/guarded/x"
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert caller.request("PUT", target, b"1", headers).status == 409
    readable = f"{target}?{azurite.access.signature('guarded', 'r')}"
    assert caller.request("PUT", readable, b"1", headers).status == 403
    writable = f"{target}?{azurite.access.signature('guarded')}"
    azurite.faults.add(faults.STATUS, "PUT", "/guarded/", status=503)
    assert [caller.request("PUT", writable, b"1", headers).status for _ in range(2)] == [503, 201]
    assert caller.request("GET", readable).body == b"1"


def test_says_when_it_does_not_start(tmp_path: Path) -> None:
    program = tmp_path / "azurite-blob"
    program.write_text("#!/bin/sh\necho 'no room'; exit 1\n")
    program.chmod(0o755)
    with pytest.raises(OutsideError, match="Azurite did not start: no room"):
        Service(tmp_path / "service", azurite=str(program))
    with running_service(tmp_path / "service"):
        pass

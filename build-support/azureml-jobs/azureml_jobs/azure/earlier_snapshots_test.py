"""A snapshot of which a part changed: what is sent of it, and what storage copies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from azureml_jobs.azure.blobs import CopySource, file_md5
from azureml_jobs.azure.conftest import CODE_JOB, Client, faults
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.faults_test import FAULTS, LASTING
from azureml_jobs.base.workspace_config import AzureWorkspace

SIZE = 3000


def text_of(number: int) -> str:
    return f"{number}\n" * (SIZE // len(f"{number}\n"))


def add_modules(client: Client, count: int = 10) -> None:
    for number in range(count):
        client.gathered.add(f"src/exp/m{number:02d}.py", text_of(number))


def send_first(client: Client) -> None:
    add_modules(client)
    assert client.submit(CODE_JOB) == 0
    client.service.recording.clear()


def edit(client: Client, name: str = "m03.py") -> None:
    client.gathered.write(f"src/exp/{name}", "changed\n")


def sent_and_copied(client: Client) -> tuple[set[str], set[str]]:
    """Names of files by how they came into the snapshot's container."""
    sent: set[str] = set()
    copied: set[str] = set()
    for each in client.requests("PUT", r"/standin-[0-9a-f-]+/code/"):
        if each.status in (201, 202):
            is_copy = "x-ms-copy-source" in each.headers
            assert not (is_copy and each.request_bytes)
            (copied if is_copy else sent).add(each.path.partition("/code/")[2])
    return sent, copied


def assert_whole(client: Client) -> None:
    """The newest job has what the repository has, with its MD5."""
    job = client.jobs()[-1]
    root = client.repository / "src"
    expected = {path: (root / path).read_bytes() for path in client.snapshot(job)}
    assert client.snapshot(job) == expected
    assert len(expected) == len(client.gathered.files)
    (container,) = {
        each.path.split("/")[2] for each in client.requests("PUT", r"/standin-[0-9a-f-]+/code/")
    }
    for blob in client.service.blobs.blobs(container):
        assert blob.md5 == file_md5(blob.file)


MODULES = {f"exp/m{number:02d}.py" for number in range(10)}
TINY = {"common/a.py", "exp/__init__.py", "exp/main.py"}


def test_of_one_edited_file_that_one_is_sent(client: Client) -> None:
    send_first(client)
    client.printed()
    edit(client)
    assert client.submit(CODE_JOB) == 0
    sent, copied = sent_and_copied(client)
    # What is smaller than a request to copy it is sent, too.
    assert sent == {"exp/m03.py", *TINY}
    assert copied == MODULES - {"exp/m03.py"}
    assert (
        "  snapshot     4 of 13 files sent, 30 B; the others were copied within storage\n"
        in client.printed().out
    )
    assert_whole(client)
    # What was copied is copied from in turn.
    client.service.recording.clear()
    edit(client, "m04.py")
    assert client.submit(CODE_JOB) == 0
    assert sent_and_copied(client)[1] == MODULES - {"exp/m03.py", "exp/m04.py"}
    assert_whole(client)
    # The record of what was sent lets nobody read it.
    (record,) = (client.repository / ".azureml/sent-snapshots").iterdir()
    text = record.read_text()
    assert len(json.loads(text)["snapshots"]) == 3
    assert client.service.access.key not in text and not re.search(r"sig=|\?|eyJ|Bearer", text)


def test_a_file_that_was_moved_is_copied(client: Client) -> None:
    send_first(client)
    client.gathered.files[:] = [each for each in client.gathered.files if "m05" not in str(each)]
    client.gathered.add("src/exp/ü moved.py", text_of(5))
    assert client.submit(CODE_JOB) == 0
    assert "exp/ü moved.py" in sent_and_copied(client)[1]
    assert_whole(client)


@pytest.mark.parametrize("credentials", ["Sas", "None"])
def test_without_a_key_the_user_s_token_allows_to_copy_what_is_larger(
    client: Client, credentials: str
) -> None:
    client.service.control.datastore_credentials = credentials
    client.use(client.service.client.direct("secret"))
    client.gathered.add("src/exp/weights.bin", "w" * 100_000)
    send_first(client)
    tokens = client.service.tokens
    signed = tokens.signed
    # As long as those of Azure are.
    client.monkeypatch.setattr(tokens, "signed", lambda of: signed({**of, "groups": "g" * SIZE}))
    edit(client)
    assert client.submit(CODE_JOB) == 0
    sent, copied = sent_and_copied(client)
    assert copied == {"exp/weights.bin"}
    assert sent == MODULES | TINY
    assert_whole(client)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1}', '{"format": 2}', "\udcff"])
def test_a_record_that_cannot_be_read_is_done_without(client: Client, damage: str) -> None:
    send_first(client)
    (record,) = (client.repository / ".azureml/sent-snapshots").iterdir()
    record.write_text(damage, errors="surrogateescape")
    edit(client)
    assert client.submit(CODE_JOB) == 0
    assert sent_and_copied(client) == (MODULES | TINY, set())
    assert_whole(client)
    assert json.loads(record.read_text())["format"] == 1


@pytest.mark.parametrize("is_gone", [True, False], ids=["gone", "changed"])
def test_what_storage_has_no_more_is_sent(client: Client, is_gone: bool) -> None:
    send_first(client)
    service = client.service
    for container in service.state.containers():
        for blob in service.state.blobs(container, "code/exp/m0"):
            if is_gone:
                service.state.remove_blob(container, blob.name)
            else:
                # It has the same size: only its MD5 differs.
                blob.file, blob.md5, _ = service.blobs.keep([b"x" * blob.size])
                service.state.put_blob(blob)
    edit(client)
    assert client.submit(CODE_JOB) == 0
    assert sent_and_copied(client) == (MODULES | TINY, set())
    assert_whole(client)


@pytest.mark.parametrize("status", [401, 403, 404, 409, 400, 501])
def test_after_a_refusal_no_other_copy_is_tried(client: Client, status: int) -> None:
    send_first(client)
    client.monkeypatch.setattr("azureml_jobs.azure.send_files.WORKERS", 1)
    edit(client)
    # In the order of names, the second copy.
    rule = client.add_fault("status", "PUT", r"/exp/m01\.py", "x-ms-copy-source", status=status)
    assert client.submit(CODE_JOB) == 0
    assert rule.hits == 1
    sent, copied = sent_and_copied(client)
    assert (sent, copied) == (TINY | MODULES - {"exp/m00.py"}, {"exp/m00.py"})
    assert_whole(client)


@pytest.mark.parametrize(
    "request_of",
    [("GET", "/datastores/workspaceblobstore"), ("POST", "/listSecrets")],
    ids=["the datastore", "its key"],
)
def test_who_tells_late_how_to_copy_is_not_waited_for(
    client: Client, request_of: tuple[str, str]
) -> None:
    send_first(client)
    for name in ("_ACCOUNT_SECONDS", "_REPAIR_SECONDS"):
        client.monkeypatch.setattr(f"azureml_jobs.azure.upload.{name}", 0.05)
    edit(client)
    client.add_fault(faults.SLOW, *request_of, seconds=30.0)
    assert client.submit(CODE_JOB) == 0
    assert sent_and_copied(client) == (MODULES | TINY, set())


# What a submission also sends when a part of its snapshot is one that was sent before.
REQUESTS = {
    "where the account is": ("GET", "/datastores/workspaceblobstore"),
    "its key": ("POST", "/listSecrets"),
    "a copied file": ("PUT", r"/code/exp/m0\d\.py", "x-ms-copy-source"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_passing_fault_does_not_end_copying(client: Client, request_of: str, fault: str) -> None:
    send_first(client)
    edit(client)
    kind, settings = FAULTS[fault]
    if kind == faults.EXPIRED_TOKEN and request_of == "a copied file":
        kind, settings = faults.STATUS, {"status": 408}
    rule = client.add_fault(kind, *REQUESTS[request_of], **settings)
    assert client.submit(CODE_JOB) == 0
    assert rule.hits == 1
    assert sent_and_copied(client) == (TINY | {"exp/m03.py"}, MODULES - {"exp/m03.py"})
    assert_whole(client)


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_what_cannot_be_copied_is_sent(client: Client, request_of: str, fault: str) -> None:
    send_first(client)
    edit(client)
    kind, settings = LASTING[fault]
    client.set(AZUREML_JOBS_PATIENCE="0.5")
    rule = client.add_fault(kind, *REQUESTS[request_of], times=None, **settings)
    assert client.submit(CODE_JOB) == 0
    assert rule.hits > 0
    assert sent_and_copied(client) == (MODULES | TINY, set())
    assert_whole(client)


CONFIG = AzureWorkspace("s", "g", "w")


def test_old_snapshots_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azureml_jobs.azure.earlier_snapshots._MOST_SNAPSHOTS", 3)
    monkeypatch.setattr("azureml_jobs.azure.earlier_snapshots._MOST_FILES", 5)
    for number in range(6):
        earlier = EarlierSnapshots(tmp_path, CONFIG)
        earlier.remember(f"https://a.blob.x/c{number}", "code/", {"a": f"{number}"})
    kept = EarlierSnapshots(tmp_path, CONFIG)
    assert [kept.have(f"{number}") for number in range(6)] == [False] * 3 + [True] * 3
    kept.remember("https://a.blob.x/c", "code/", {f"{n}": f"many {n}" for n in range(4)})
    kept = EarlierSnapshots(tmp_path, CONFIG)
    assert [kept.have(f"{number}") for number in range(6)] == [False] * 5 + [True]
    kept.remember("https://a.blob.x/c", "code/", {f"{n}": f"more {n}" for n in range(6)})
    assert not EarlierSnapshots(tmp_path, CONFIG).have("more 1")


def test_workspaces_have_records_of_their_own(tmp_path: Path) -> None:
    EarlierSnapshots(tmp_path, CONFIG).remember("https://a.blob.x/c", "code/", {"a": "1"})
    assert EarlierSnapshots(tmp_path, AzureWorkspace("S", "G", "W")).have("1")
    for other in (AzureWorkspace("s", "g", "v"), AzureWorkspace("s", "g", "w", "AzureChinaCloud")):
        assert not EarlierSnapshots(tmp_path, other).have("1")


def test_what_cannot_be_written_is_only_sent_again(tmp_path: Path) -> None:
    (tmp_path / "sent-snapshots").write_text("in the way")
    EarlierSnapshots(tmp_path, CONFIG).remember("https://a.blob.x/c", "code/", {"a": "1"})
    assert not EarlierSnapshots(tmp_path, CONFIG).have("1")


def test_a_copy_saves_bytes_where_the_request_is_smaller_than_the_file() -> None:
    signed = CopySource("https://a.blob.x/c/n?" + "s" * 100)
    assert not signed.saves_bytes(100) and signed.saves_bytes(250)
    with_token = CopySource("https://a.blob.x/c/n", "t" * 2000)
    assert not with_token.saves_bytes(2000) and with_token.saves_bytes(2250)
    assert not signed.saves_bytes((256 << 20) + 1)
    assert not CopySource("https://a.blob.x/c/" + "n" * 2048).saves_bytes(10_000)

"""How files are sent: what each of them costs, how many at once, and how a failure ends."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from azureml_jobs.azure.blobs import file_md5
from azureml_jobs.azure.conftest import CODE_JOB, SNAPSHOT, Client, faults
from azureml_jobs.azure.retries import patience_seconds
from azureml_jobs.azure.send_files import WORKERS
from azureml_jobs.bundle.names import DIFF_FILE, MANIFEST_FILE

CONTAINER = r"/standin-[0-9a-f-]+"


def add_modules(client: Client, count: int) -> None:
    for number in range(count):
        client.gathered.add(f"src/exp/m{number:03d}.py", f"{number}\n")


def test_a_file_costs_one_request(client: Client) -> None:
    """azure-ai-ml asks before each whether it is there."""
    add_modules(client, 200)
    assert client.submit(CODE_JOB) == 0
    asked = [each.method for each in client.requests(path=CONTAINER, kind="blob")]
    # All of them are listed at once, before and after. Two are the record of what runs.
    assert (asked.count("GET"), asked.count("PUT"), len(asked)) == (4, 205, 209)


def test_many_files_are_under_way_at_once_and_not_all(client: Client) -> None:
    add_modules(client, 3 * WORKERS)
    client.add_fault(faults.SLOW, "PUT", CONTAINER, times=None, seconds=0.5)
    assert client.submit(CODE_JOB) == 0
    moments = []
    for each in client.requests("PUT", CONTAINER):
        # The record of the job is an asset of its own, sent at the same time.
        if each.path.endswith((MANIFEST_FILE, DIFF_FILE)):
            continue
        moments += [(each.started, 1), (each.started + each.seconds, -1)]
    under_way = most = 0
    for _, change in sorted(moments):
        under_way += change
        most = max(most, under_way)
    assert WORKERS // 2 <= most <= WORKERS


@pytest.mark.parametrize("status", [429, 500, 503])
def test_errors_of_storage_that_pass_cost_less_than_the_patience(
    client: Client, status: int
) -> None:
    """azure-ai-ml waits 18 seconds after the first of them."""
    client.set(AZUREML_JOBS_PATIENCE="6")
    rule = client.add_fault("status", "PUT", "/code/exp/main", times=3, status=status)
    assert client.submit(CODE_JOB) == 0
    assert rule.hits == 3
    assert len(client.requests("PUT", "/code/exp/main")) == 4


def test_an_upload_that_fails_names_its_file(client: Client) -> None:
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    client.add_fault("status", "PUT", "/code/exp/main", times=None, status=500)
    assert client.submit(CODE_JOB) == 1
    err = client.printed().err
    assert "code/exp/main.py: the file could not be sent: the service answered 500" in err
    assert "sig=" not in err
    client.monkeypatch.delenv("AZUREML_JOBS_PATIENCE")
    # A lasting error is reported after that time: azure-ai-ml would hang without progress.
    assert patience_seconds() < 60


def test_an_upload_that_hangs_names_its_file(client: Client) -> None:
    add_modules(client, 40)
    client.set(AZUREML_JOBS_PATIENCE="0.5")
    client.add_fault(faults.SLOW, "PUT", r"/code/exp/m0[0-9]{2}\.py", times=None, seconds=60.0)
    begun = time.monotonic()
    assert client.submit(CODE_JOB) == 1
    # A guard against hanging.
    assert time.monotonic() - begun < 30
    err = client.printed().err
    assert "code/exp/m0" in err and "the file could not be sent" in err


def blobs_of(client: Client, pattern: str) -> list[tuple[str, str]]:
    """The containers and names of blobs whose names match a pattern."""
    state = client.service.state
    return [
        (container, blob.name)
        for container in state.containers()
        for blob in state.blobs(container)
        if re.search(pattern, blob.name)
    ]


def damage(client: Client, pattern: str, how: str) -> None:
    (found,) = blobs_of(client, pattern)
    service = client.service
    blob = service.state.blob(*found)
    assert blob is not None
    if how == "gone":
        service.state.remove_blob(*found)
        return
    content = b"x" * blob.size if how == "other bytes" else b""
    blob.file, blob.md5, blob.size = service.blobs.keep([content])
    service.state.put_blob(blob)


# A file of each kind of asset: of the code, of the build context, of the data.
FILES = {
    "code": r"^code/exp/main\.py$",
    "environment": r"environment/Dockerfile$",
    "data": r"data/a\.csv$",
}


@pytest.mark.parametrize("how", ["gone", "other bytes", "shorter"])
@pytest.mark.parametrize("asset", FILES)
def test_what_is_registered_and_broken_is_repaired_by_submitting_again(
    client: Client, asset: str, how: str
) -> None:
    assert client.submit() == 0
    damage(client, FILES[asset], how)
    client.printed()
    assert client.submit() == 0
    label = {"code": "snapshot", "data": "input data"}.get(asset, asset)
    out = client.printed().out
    assert re.search(rf"{label} +1 file, \d+ B sent", out), out
    # The two others, and the record of what runs.
    assert out.count("unchanged, nothing sent") == 3
    (found,) = blobs_of(client, FILES[asset])
    blob = client.service.state.blob(*found)
    assert blob is not None and file_md5(blob.file) == blob.md5
    assert client.snapshot(client.jobs()[-1]) == SNAPSHOT


@pytest.mark.parametrize("asset", FILES)
def test_a_file_that_nobody_sent_is_refused(client: Client, asset: str) -> None:
    assert client.submit() == 0
    (found,) = blobs_of(client, FILES[asset])
    state = client.service.state
    blob = state.blob(*found)
    assert blob is not None
    planted = replace(blob, name=f"{blob.name.rpartition('/')[0]}/sitecustomize.py")
    state.put_blob(planted)
    assert client.submit() == 1
    err = client.printed().err
    assert "sitecustomize.py: the container has this file, which is not in what is sent" in err
    assert len(client.jobs()) == 1


def test_folders_of_data_lake_are_no_files(client: Client) -> None:
    """They are blobs without content: azure-ai-ml knows them by the same mark."""
    (client.repository / "src/exp/data/nothing.csv").touch()
    register = ("data", "register", "lake", "--path", "src/exp/data")
    assert client.run_aml(*register) == 0
    (found,) = blobs_of(client, FILES["data"])
    state = client.service.state
    blob = state.blob(*found)
    assert blob is not None
    folder = blob.name.rpartition("/")[0]
    file, md5, size = client.service.blobs.keep([])
    marked = replace(blob, file=file, md5=md5, size=size, metadata={"hdi_isfolder": "true"})
    for name in (folder, f"{folder}/below", f"{folder}/empty"):
        state.put_blob(replace(marked, name=name))
    assert client.run_aml(*register) == 0
    assert client.run_aml("data", "download", "lake:1") == 0
    data = client.repository / "data/lake/1"
    found_here = {each.relative_to(data).as_posix() for each in data.rglob("*")}
    assert found_here == {"a.csv", "nothing.csv", "below", "below/b.csv"}


def test_a_name_that_storage_cannot_have_is_refused(client: Client) -> None:
    odd = os.fsdecode(b"\xff.csv")
    (client.repository / "src/exp/data" / odd).write_text("x")
    assert client.run_aml("data", "register", "odd", "--path", "src/exp/data") == 2
    assert "src/exp/data/\\udcff.csv: its name is not UTF-8." in client.printed().err
    assert client.submit() == 2
    assert "its name is not UTF-8" in client.printed().err and client.jobs() == []


@pytest.mark.parametrize(("path", "below"), [(".", ""), ("..", "data/"), ("below/..", "")])
def test_the_working_folder_is_data(client: Client, path: str, below: str) -> None:
    client.monkeypatch.chdir(client.repository / "src/exp/data")
    assert client.run_aml("data", "register", "here", "--path", path) == 0
    assert client.run_aml("data", "download", "here") == 0
    assert (client.repository / "data/here/1" / below / "below/b.csv").read_text() == "2\n"


@pytest.mark.parametrize("name", [["a b"], ["x" * 256], ["wine", "--version", "1/2"]])
def test_what_is_no_name_is_refused_before_anything_is_sent(
    client: Client, name: list[str]
) -> None:
    assert client.run_aml("models", "register", *name, "--path", "src/exp/data") == 2
    what = "version" if "--version" in name else "name"
    assert f"error: {name[-1]}: this is not a valid {what}." in client.printed().err
    assert client.requests("PUT") == []


def test_an_empty_file_is_data(client: Client) -> None:
    (client.repository / "src/exp/data/nothing.csv").touch()
    file = ("--path", "src/exp/data/nothing.csv")
    assert client.run_aml("data", "register", "nothing", *file) == 0
    assert client.run_aml("data", "download", "nothing:1") == 0
    assert (client.repository / "data/nothing/1/nothing.csv").read_bytes() == b""


def test_an_asset_that_cannot_be_looked_at_is_trusted(client: Client) -> None:
    assert client.submit(CODE_JOB) == 0
    client.add_fault("status", "GET", "comp=list", times=None, status=403)
    assert client.submit(CODE_JOB) == 0
    assert len(client.jobs()) == 2


def test_what_storage_accepts_and_does_not_keep_is_no_asset(client: Client) -> None:
    put = client.service.state.put_blob

    def forget(blob: Any) -> None:
        if not blob.name.endswith("/main.py"):
            put(blob)

    client.monkeypatch.setattr(client.service.state, "put_blob", forget)
    assert client.submit(CODE_JOB) == 1
    err = client.printed().err
    assert "code/exp/main.py: storage accepted the file, and does not have it" in err
    assert client.jobs() == []

"""Downloading from jobs that the stand-in service runs, or ran."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import Client, faults
from azureml_jobs.azure.download import download
from azureml_jobs.azure.jobs import AzureJobs


@pytest.fixture
def client(client_with_jobs: Client) -> Client:
    return client_with_jobs


# A name that is nearly as long as a file system takes.
LONG = f"{'ü' * 120}.txt"
WRITING = (
    f"mkdir -p outputs/deep; echo artifact > outputs/deep/{LONG}; echo shown; "
    "head -c 300000 /dev/zero > ${{outputs.model}}/weights; echo x > ${{outputs.model}}/x"
)


def written(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }


EXPECTED = {
    f"artifacts/outputs/deep/{LONG}": 9,
    "artifacts/user_logs/std_log.txt": 6,
    "named-outputs/model/weights": 300000,
    "named-outputs/model/x": 2,
}


@pytest.mark.parametrize("credentials", ["AccountKey", "Sas", "None"])
def test_prints_and_downloads_what_a_job_wrote(
    client: Client, tmp_path: Path, credentials: str
) -> None:
    client.service.control.datastore_credentials = credentials
    if credentials == "None":
        client.use(client.service.client.direct("secret"))
    name = client.start(f"writing-{credentials}".lower(), WRITING)
    client.printed()
    assert client.run_aml("jobs", "stream", name) == 0
    assert client.printed().out == "shown\n"
    assert client.download(name, tmp_path / "got") == 0
    assert EXPECTED.items() <= written(tmp_path / "got").items()
    assert client.download(name, tmp_path / "got") == 2
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to("one")
    assert client.download(name, tmp_path / "link", "--output-name", "model") == 0
    assert set(written(tmp_path / "one")) == {
        "named-outputs/model/weights",
        "named-outputs/model/x",
    }


RUNNING = """\
mkdir -p outputs; echo steady > outputs/steady.txt; echo x > outputs/temporary
echo partly > ${{outputs.model}}/part
echo began
while true; do echo more; echo more >> outputs/growing.txt; sleep 0.2; done"""


def running(client: Client, name: str) -> str:
    client.start(name, RUNNING)
    client.until(lambda: log_size(client, name) > 20)
    return name


def test_downloads_from_a_job_that_runs(client: Client, tmp_path: Path) -> None:
    name = running(client, "still-writing")
    try:
        logs = []
        for number in range(2):
            target = tmp_path / str(number)
            client.printed()
            assert client.download(name, target) == 0
            assert client.printed().out == (
                f"5 files in {target}, as they are now: the job is Running\n"
            )
            assert set(written(target)) == {
                *(f"artifacts/outputs/{each}" for each in ("steady.txt", "temporary")),
                *("artifacts/outputs/growing.txt", "artifacts/user_logs/std_log.txt"),
                "named-outputs/model/part",
            }
            logs.append((target / "artifacts/user_logs/std_log.txt").read_bytes())
            client.until(lambda: log_size(client, name) > len(logs[-1]))
    finally:
        AzureJobs(client.connect()).cancel(name)
    assert logs[1].startswith(logs[0]) and len(logs[1]) > len(logs[0])
    assert logs[0].startswith(b"began\nmore\n")


def log_size(client: Client, name: str) -> int:
    log = f"ExperimentRun/dcid.{name}/user_logs/std_log.txt"
    blob = client.service.blobs.blob("azureml", log)
    return blob.size if blob else 0


def test_what_changes_meanwhile_is_downloaded_again_or_left_out(
    client: Client, tmp_path: Path
) -> None:
    name = running(client, "changing")
    # Requests for the files, and not for what there is.
    file = "^[^?]*/outputs/"
    repeated = client.add_fault(faults.STATUS, "GET", f"{file}steady", times=2, status=412)
    client.add_fault(faults.STATUS, "GET", f"{file}temporary", times=None, status=404)
    try:
        assert client.download(name, tmp_path / "got") == 0
    finally:
        client.service.faults.clear()
        AzureJobs(client.connect()).cancel(name)
    assert repeated.hits == 2
    printed = client.printed()
    assert "warning: artifacts/outputs/temporary is left out: it went away, kept" in (printed.err)
    assert "4 files in " in printed.out
    found = written(tmp_path / "got")
    assert found["artifacts/outputs/steady.txt"] == 7
    assert "artifacts/outputs/temporary" not in found
    assert [path.name for path in (tmp_path / "got").rglob(".*")] == []


def test_of_a_job_that_has_ended_nothing_is_left_out(client: Client, tmp_path: Path) -> None:
    name = client.start("ended", WRITING)
    client.wait_for_end(name)
    client.add_fault(faults.STATUS, "GET", "/deep/", times=None, status=404)
    assert client.download(name, tmp_path / "got") == 1
    assert f"artifacts/outputs/deep/{LONG}: the file could not be downloaded" in (
        client.printed().err
    )
    assert not (tmp_path / "got").exists()


def test_several_files_are_downloaded_at_once(client: Client, tmp_path: Path) -> None:
    name = client.start("many", "mkdir -p outputs; for i in 1 2 3 4; do echo $i > outputs/$i; done")
    client.wait_for_end(name)
    client.service.recording.clear()
    client.add_fault(faults.SLOW, "GET", r"/outputs/\d", times=None, seconds=0.5)
    assert client.download(name, tmp_path / "got") == 0
    asked = client.requests("GET", "/dcid.many/outputs/")
    first = min(asked, key=lambda each: each.started)
    assert len(asked) == 4
    assert all(each.started < first.started + first.seconds for each in asked)


def test_a_large_file_is_not_held_in_memory(client: Client, tmp_path: Path) -> None:
    name = client.start("large", "head -c 64000000 /dev/zero > ${{outputs.model}}/weights")
    client.wait_for_end(name)
    workspace = client.connect()
    tracemalloc.start()
    try:
        download(workspace, name, tmp_path / "got", "model")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written(tmp_path / "got") == {"named-outputs/model/weights": 64000000}
    assert peak < 16000000


def test_a_killed_download_is_resumed(client: Client, tmp_path: Path) -> None:
    name = client.start("killed", WRITING)
    client.wait_for_end(name)
    client.add_fault(faults.TRUNCATED, "GET", "/weights")
    hanging = client.add_fault(faults.SLOW, "GET", "/weights", seconds=60)
    arguments = ("jobs", "download", name, "--path", str(tmp_path / "got"))
    repository = ("--repository", str(client.repository))
    # The first half has come, and the rest is under way.
    process = client.process("workspace", *repository, *arguments, until=hanging)
    process.kill()
    process.wait()
    assert not (tmp_path / "got").exists()
    client.service.faults.clear()
    client.service.recording.clear()
    assert client.run_aml(*arguments) == 0
    assert EXPECTED.items() <= written(tmp_path / "got").items()
    (rest,) = client.requests("GET", "/weights")
    assert (rest.headers["range"], rest.response_bytes) == ("bytes=150000-299999", 150000)
    assert not (tmp_path / ".got.part").exists()


def test_a_file_of_another_version_is_downloaded_from_its_start(
    client: Client, tmp_path: Path
) -> None:
    """A part that an earlier attempt brought is of no use when the file is another one since."""
    name = running(client, "again")
    file = client.service.execution.folder(name).work / "outputs/steady.txt"
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    client.add_fault(faults.STATUS, "GET", "/model/part", times=None, status=503)
    try:
        target = tmp_path / "got"
        assert client.download(name, target) == 1
        client.until(lambda: (tmp_path / ".got.part/artifacts/outputs/steady.txt").exists())
        client.service.faults.clear()
        # Of the same size, and storage has no MD5 of it yet.
        file.write_text("STEADY\n")
        os.utime(file, (time.time() + 5, time.time() + 5))
        assert client.download(name, target) == 0
        assert (target / "artifacts/outputs/steady.txt").read_text() == "STEADY\n"
    finally:
        AzureJobs(client.connect()).cancel(name)


def test_what_a_job_wrote_and_arrives_changed_is_not_kept(client: Client, tmp_path: Path) -> None:
    name = client.start("corrupted", WRITING)
    client.wait_for_end(name)
    assert client.download(name, tmp_path / "sound") == 0
    weights = client.service.execution.folder(name).outputs / "model/weights"
    # Storage keeps the MD5 that it had.
    state = weights.stat()
    weights.write_bytes(b"1" * state.st_size)
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert client.download(name, tmp_path / "got") == 1
    assert "named-outputs/model/weights: what arrived is not what is stored" in (
        client.printed().err
    )
    assert not (tmp_path / "got").exists()
    kept = (tmp_path / ".got.part/named-outputs/model").iterdir()
    assert {path.stat().st_size for path in kept} <= {EXPECTED["named-outputs/model/x"]}


def test_names_that_are_as_long_as_a_file_system_takes_are_downloaded(
    client: Client, tmp_path: Path
) -> None:
    longest = "ü" * 127
    name = client.start("long-names", f"mkdir outputs; echo x > outputs/{longest}")
    client.wait_for_end(name)
    assert client.download(name, tmp_path / "got") == 0
    assert (tmp_path / "got/artifacts/outputs" / longest).read_text() == "x\n"


def test_an_output_without_an_address_is_where_its_run_says(client: Client, tmp_path: Path) -> None:
    name = client.start("elsewhere", WRITING)
    client.wait_for_end(name)
    asset = client.connect().history("GET", f"runs/{name}")["outputs"]["model"]["assetId"]
    place = f"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{name}/outputs"
    client.add_fault(
        *(faults.PAGE, "POST", "/modelregistry/.*/batchGetResolvedUris"),
        status=200,
        body=json.dumps({"values": {asset: {"path": place}}}),
        media_type="application/json",
    )
    assert client.download(name, tmp_path / "one", "--output-name", "model") == 0
    assert set(written(tmp_path / "one")) == {f"named-outputs/model/deep/{LONG}"}

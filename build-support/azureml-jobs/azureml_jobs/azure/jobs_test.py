"""Jobs of the stand-in service, which runs them: list, show, stream, cancel, download, archive."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from azureml_jobs.azure.conftest import JOB, Client
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.azure.stream import stream
from azureml_jobs.service import faults


@pytest.fixture
def client(worked_for: Client) -> Client:
    worked_for.put_environment()
    return worked_for


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_streams_what_a_job_prints_and_ends_with_its_status(
    client: Client, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    name = client.start("printing", "printf 'one\\ntwo\\nhalf a li'; printf 'ne\\nno end'; exit 3")
    capfdbinary.readouterr()
    assert client.steer("jobs", "stream", name) == 3
    out, err = capfdbinary.readouterr()
    assert out == b"one\ntwo\nhalf a line\nno end"
    assert b"printing Failed: " in err


def test_reads_each_byte_of_a_log_once(client: Client) -> None:
    name = client.start("growing", "for i in 1 2 3; do printf 'line %s. ' $i; sleep 1.1; done")
    client.service.recording.clear()
    out = io.BytesIO()
    assert stream(client.session().workspace, name, out) == 0
    assert out.getvalue() == b"line 1. line 2. line 3. "
    read = client.requests("GET", "user_logs/std_log")
    assert len(read) > 1
    assert sum(each.answer_bytes or 0 for each in read if each.status in (200, 206)) == 24


@pytest.mark.parametrize("credentials", ["AccountKey", "Sas", "None"])
def test_streams_whatever_the_datastore_s_credentials(client: Client, credentials: str) -> None:
    client.service.control.datastore_credentials = credentials
    name = client.start(f"logs-{credentials}".lower(), "echo done")
    out = io.BytesIO()
    assert stream(client.session().workspace, name, out) == 0
    assert out.getvalue() == b"done\n"


def test_logs_of_several_nodes_are_told_apart_by_whole_lines(client: Client) -> None:
    from azureml_jobs.azure.stream import _Logs

    workspace = client.session().workspace
    out = io.BytesIO()
    logs = _Logs(workspace, out)
    contents = {"user_logs/std_log_0.txt": b"a\nhal", "user_logs/std_log_1.txt": b"b\n"}
    container = client.service.control
    client.service.state.add_container("nodes")

    def publish() -> dict[str, str]:
        from azureml_jobs.azure.blobs import Container

        sas = client.service.access.signature("nodes")
        base = f"{client.service.url}/standin.blob.core.azure.standin/nodes"
        for name, content in contents.items():
            Container(workspace.connection, base, sas).put(name, content)
        addresses = {name: f"{base}/{name}?{sas}" for name in contents}
        return {**addresses, "system_logs/lifecycler.log": "https://nowhere.invalid/"}

    assert container is not None
    logs.read(publish())
    contents["user_logs/std_log_0.txt"] += b"f\nend"
    logs.read(publish())
    logs.finish()
    assert out.getvalue() == (
        b"==> user_logs/std_log_0.txt <==\na\n==> user_logs/std_log_1.txt <==\nb\n"
        b"==> user_logs/std_log_0.txt <==\nhalf\nend"
    )


def test_a_stream_survives_a_broken_network(client: Client) -> None:
    name = client.start("broken", "for i in 1 2 3; do echo $i; sleep 1; done")
    client.add_fault(faults.RESET_BEFORE, "GET", "/details")
    client.add_fault(faults.TRUNCATED, "GET", "user_logs", skip=1)
    client.add_fault(faults.STATUS, "GET", "user_logs", skip=2, status=503)
    out = io.BytesIO()
    assert stream(client.session().workspace, name, out) == 0
    assert out.getvalue() == b"1\n2\n3\n"


def test_a_cancelled_job_is_told_as_such(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    name = client.start("endless", "echo began; sleep 600")
    until(lambda: client.status_of(name) == "Running")
    streamed: list[int] = []
    workspace = client.session().workspace
    thread = threading.Thread(
        target=lambda: streamed.append(stream(workspace, name, io.BytesIO())), daemon=True
    )
    thread.start()
    capfd.readouterr()
    assert client.steer("jobs", "cancel", name) == 0
    assert capfd.readouterr().out == "endless Canceled\n"
    thread.join(30)
    assert streamed == [143]
    assert "endless Canceled" in capfd.readouterr().err
    assert client.steer("jobs", "cancel", name) == 2
    assert "has ended already, its status is Canceled" in capfd.readouterr().err


def test_who_stops_following_is_told_that_the_job_goes_on(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = client.start("goes-on", "sleep 600")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("azureml_jobs.azure.stream._follow", interrupted)
        assert client.steer("jobs", "stream", name) == 130
    assert "goes-on goes on. End it: ./pants run :aml -- jobs cancel goes-on" in (
        capsys.readouterr().err
    )
    assert AzureJobs(client.session()).cancel(name) == "Canceled"


def test_lists_shows_and_archives(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    names = [client.start(f"listed-{number}", "true") for number in range(2)]
    until(lambda: all(client.status_of(name) == "Completed" for name in names))
    capsys.readouterr()
    assert client.steer("jobs", "list", "--json", "--status", "completed") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows if row["name"] in names] == names[::-1]
    assert client.steer("jobs", "show", names[0], "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["compute"]) == ("Completed", "cpu-cluster")
    assert shown["address"] == "src/exp:job" and shown["duration"] > 0
    assert client.steer("jobs", "show", names[0]) == 0
    assert f"folder        {client.service.url}/runs/listed-0" in capsys.readouterr().out
    assert client.steer("jobs", "archive", names[0]) == 0
    capsys.readouterr()
    client.steer("jobs", "list", "--json")
    listed = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert names[1] in listed and names[0] not in listed
    client.steer("jobs", "list", "--json", "--archived")
    assert names[0] in {row["name"] for row in json.loads(capsys.readouterr().out)}


def test_says_that_there_is_no_such_job(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.steer("jobs", "show", "gone") == 2
    assert "gone: standin-workspace has no such job." in capsys.readouterr().err


WRITING = (
    "mkdir -p outputs/deep; echo artifact > outputs/deep/a.txt; echo shown; "
    "head -c 300000 /dev/zero > ${{outputs.model}}/weights; echo x > ${{outputs.model}}/x"
)


def written(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }


EXPECTED = {
    "artifacts/outputs/deep/a.txt": 9,
    "artifacts/user_logs/std_log.txt": 6,
    "named-outputs/model/weights": 300000,
    "named-outputs/model/x": 2,
}


@pytest.mark.parametrize("credentials", ["AccountKey", "Sas", "None"])
def test_downloads_what_a_job_wrote(client: Client, tmp_path: Path, credentials: str) -> None:
    client.service.control.datastore_credentials = credentials
    if credentials == "None":
        client.use(client.service.client.direct("secret"))
    name = client.start(f"writing-{credentials}".lower(), WRITING)
    until(lambda: client.status_of(name) == "Completed")
    assert client.steer("jobs", "download", name, "--path", str(tmp_path / "got")) == 0
    assert EXPECTED.items() <= written(tmp_path / "got").items()
    assert client.steer("jobs", "download", name, "--path", str(tmp_path / "got")) == 2
    one = ("--output-name", "model", "--path", str(tmp_path / "one"))
    assert client.steer("jobs", "download", name, *one) == 0
    assert set(written(tmp_path / "one")) == {
        "named-outputs/model/weights",
        "named-outputs/model/x",
    }


def test_downloads_from_a_job_that_runs(client: Client, tmp_path: Path) -> None:
    name = client.start("still-writing", "echo began; while true; do echo more; sleep 0.05; done")
    until(lambda: client.status_of(name) == "Running")
    time.sleep(1)
    try:
        assert client.steer("jobs", "download", name, "--path", str(tmp_path / "got")) == 0
        log = (tmp_path / "got/artifacts/user_logs/std_log.txt").read_text()
        assert log.startswith("began\nmore\n")
    finally:
        AzureJobs(client.session()).cancel(name)


def test_a_download_that_was_interrupted_goes_on(client: Client, tmp_path: Path) -> None:
    name = client.start("interrupted", WRITING)
    until(lambda: client.status_of(name) == "Completed")
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    client.add_fault(faults.STATUS, "GET", "/weights", skip=1, times=None, status=503)
    client.add_fault(faults.TRUNCATED, "GET", "/weights")
    target = tmp_path / "got"
    assert client.steer("jobs", "download", name, "--path", str(target)) == 1
    assert not target.exists()
    client.service.faults.clear()
    client.service.recording.clear()
    assert client.steer("jobs", "download", name, "--path", str(target)) == 0
    assert EXPECTED.items() <= written(target).items()
    (rest,) = client.requests("GET", "/weights")
    assert rest.answer_bytes == 150000
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_arrives_changed_is_not_kept(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    source = client.repository / "src/exp/data"
    (source / "a.csv").write_text("sound and whole")
    assert client.steer("data", "register", "changed", "--path", str(source)) == 0
    (blob,) = [
        blob
        for blob in client.service.blobs.blobs("azureml-blobstore-standin", "LocalUpload/")
        if blob.file.read_text() == "sound and whole"
    ]
    blob.file.write_text("changed in size"[: blob.size])
    assert client.steer("data", "download", "changed") == 1
    assert "a.csv: what was received is not what is stored" in capsys.readouterr().err
    assert not (client.repository / "data/changed/1").exists()


def test_the_local_workspace_is_steered_by_local(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.service.recording.clear()
    assert client.steer("jobs", "list", "--local") == 0
    assert capsys.readouterr().out.startswith("No jobs.")
    assert client.requests() == []


def test_doctor_tells_what_works(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.steer("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        *(["ok", "configuration"], ["ok", "sign-in"], ["ok", "workspace"], ["ok", "compute"]),
        *(["ok", "storage"], ["note", "registry"], ["ok", "versions"]),
    ]
    assert lines[1].endswith("by Azure CLI")


def test_doctor_tells_the_first_thing_that_fails(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.set(WORKSPACE="other")
    assert client.steer("doctor") == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-1].startswith("failed  workspace      config.env: there is no workspace other in")


def test_data_goes_to_the_workspace_and_comes_back(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    source = client.repository / "src/exp/data"
    for version in ("1", "2"):
        (source / "a.csv").write_text(version)
        assert client.steer("data", "register", "wine", "--path", str(source)) == 0
        assert (
            capsys.readouterr().out == f"azureml:wine:{version} registered in standin-workspace\n"
        )
    assert client.steer("data", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["version"] for row in rows if row["name"] == "wine"] == ["2"]
    assert client.steer("data", "download", "wine:1") == 0
    assert client.steer("data", "download", "azureml:wine@latest") == 0
    data = client.repository / "data/wine"
    assert [(data / version / "a.csv").read_text() for version in ("1", "2")] == ["1", "2"]
    # A job finds it by the same name here and there.
    from azureml_jobs.local.inputs import resolve_inputs

    job = {"inputs": {"wine": {"type": "uri_folder", "path": "azureml:wine:1"}}}
    found = resolve_inputs(job, client.repository / "src/exp/job.yaml", client.repository)
    assert found["wine"].value == str(data / "1")
    # A version stays what it is.
    (source / "a.csv").write_text("3")
    again = ("data", "register", "wine", "--path", str(source), "--version", "1")
    assert client.steer(*again) == 2
    assert "this version exists already" in capsys.readouterr().err


def test_a_job_gets_the_workspace_s_data(client: Client) -> None:
    client.steer("data", "register", "for-a-job", "--path", "src/exp/data", "--version", "7")
    job = JOB.replace("path: data", "path: 'azureml:for-a-job:7'").replace(
        "python -m exp.main --epochs ${{inputs.epochs}} --data", "cat $(find"
    )
    job = job.replace("${{inputs.data}}", "${{inputs.data}} -name a.csv); echo ${{inputs.epochs}}")
    job = job.replace("{build: {path: docker}}", "azureml:curated:1")
    assert client.submit(job, "name=with-data") == 0
    out = io.BytesIO()
    assert stream(client.session().workspace, "with-data", out) == 0
    assert out.getvalue() == b"1\n3\n"

"""Following the logs of jobs that the stand-in service runs."""

from __future__ import annotations

import io
import re
import time
from types import SimpleNamespace

import pytest
from azureml_jobs.azure.blobs import Container
from azureml_jobs.azure.conftest import SCRIPT_JOB, Client, RunView, faults
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.azure.stream import _POLL_SECONDS as POLL_SECONDS
from azureml_jobs.azure.stream import stream
from azureml_jobs.base.parallel import BackgroundCall


@pytest.fixture
def client(client_with_jobs: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    # The tests would mostly wait.
    monkeypatch.setattr("azureml_jobs.azure.stream._POLL_SECONDS", 0.3)
    return client_with_jobs


def streamed(client: Client, name: str) -> bytes:
    """Follow a job that completes; return what it printed."""
    out = io.BytesIO()
    assert stream(client.connect(), name, out) == 0
    return out.getvalue()


def test_streams_what_a_job_prints_and_ends_with_its_status(client: Client) -> None:
    name = client.start("printing", "printf 'one\\ntwo\\nhalf a li'; printf 'ne\\nno end'; exit 3")
    client.printed()
    assert client.run_aml("jobs", "stream", name) == 3
    out, err = client.printed()
    assert out == "one\ntwo\nhalf a line\nno end"
    assert "printing Failed: " in err


def test_prints_each_byte_of_a_log_once(client: Client) -> None:
    name = client.start("growing", "for i in 1 2 3; do printf 'line %s. ' $i; sleep 0.7; done")
    client.service.recording.clear()
    assert streamed(client, name) == b"line 1. line 2. line 3. "
    read = client.requests("GET", "user_logs/std_log")
    assert len(read) > 1
    # The log is short: all of it is compared each time. A longer one is read from near its end.
    assert {each.headers["range"].partition("-")[0] for each in read} == {"bytes=0"}


def test_a_long_log_is_read_in_parts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azureml_jobs.azure.stream._PART_BYTES", 1000)
    name = client.start("long", "for i in $(seq 1000); do echo $i; done")
    client.wait_for_end(name)
    client.service.recording.clear()
    assert streamed(client, name) == b"".join(b"%d\n" % number for number in range(1, 1001))
    read = client.requests("GET", "user_logs/std_log")
    assert [each.response_bytes for each in read if each.status == 206] == [*[1000] * 3, 893]
    assert len(client.requests("GET", "/details")) == 1


def test_it_never_waits_longer_than_the_log_may_be_late(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three seconds at most, however long the job takes: a pause of two, and the requests."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 20:
            (client.service.execution.folder(name).work / "go").touch()
            client.wait_for_end(name)

    name = client.start("waited-for", "while [ ! -e go ]; do sleep 0.05; done; echo done")
    client.until(lambda: client.status_of(name) == "Running")
    monkeypatch.setattr("azureml_jobs.azure.stream._POLL_SECONDS", POLL_SECONDS)
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
    monkeypatch.setattr("azureml_jobs.azure.stream.time", clock)
    assert streamed(client, name) == b"done\n"
    assert len(pauses) == 20 and all(0 <= pause <= 2 for pause in pauses)


def test_follows_the_logs_of_all_nodes_to_the_end(client: Client) -> None:
    name = client.start("nodes", "while [ ! -e go ]; do sleep 0.05; done; printf 'zero\\nleft'")
    client.until(lambda: client.status_of(name) == "Running")
    workspace = client.connect()
    sas = client.service.access.signature("azureml")
    container = Container(
        workspace.connection, f"{client.service.url}/standin.blob.core.azure.standin/azureml", sas
    )
    folder = f"ExperimentRun/dcid.{name}"
    container.put(f"{folder}/user_logs/std_log_1.txt", b"one\nal")
    container.put(f"{folder}/system_logs/lifecycler.txt", b"the service's own")
    out = io.BytesIO()
    following = BackgroundCall(lambda: stream(workspace, name, out))
    client.until(lambda: b"one\n" in out.getvalue())
    container.put(f"{folder}/user_logs/std_log_1.txt", b"one\nalmost")
    (client.service.execution.folder(name).work / "go").touch()
    assert following.result(60) == 0
    shown = out.getvalue()
    # A line is whole where it stands: no part of another log is within it.
    for line in (b"one\n", b"zero\n", b"\nleft", b"\nalmost"):
        assert line in shown
    assert b"the service" not in shown


def test_follows_the_processes_of_a_distributed_job(client: Client) -> None:
    job = SCRIPT_JOB.format(command='"echo rank $RANK of $WORLD_SIZE"')
    job += "distribution: {type: pytorch, process_count_per_instance: 2}\n"
    assert client.submit(job, "name=two") == 0
    assert client.connect().get("jobs", "two")["properties"]["distribution"] == {
        "distributionType": "PyTorch",
        "processCountPerInstance": 2,
    }
    out = io.BytesIO()
    assert stream(client.connect(), "two", out) == 0
    shown = [
        f"==> user_logs/std_log_process_{rank}.txt <==\nrank {rank} of 2\n".encode()
        for rank in range(2)
    ]
    assert out.getvalue() in (b"".join(shown), b"".join(reversed(shown)))


def test_a_log_that_begins_again_is_shown_from_its_start(client: Client) -> None:
    from azureml_jobs.azure.stream import Logs

    workspace = client.connect()
    out = io.BytesIO()
    logs = Logs(workspace, out)
    client.service.state.add_container("again")
    base = f"{client.service.url}/standin.blob.core.azure.standin/again"
    sas = client.service.access.signature("again")
    first = b"".join(b"first %d\n" % number for number in range(20))
    name = "user_logs/std_log.txt"
    for content in (first, first + b"more\n", b"shorter\n", b"shorter\nlonger", first):
        Container(workspace.connection, base, sas).put(name, content)
        logs.read({name: f"{base}/{name}?{sas}"})
    again = f"==> {name} begins again <==\n".encode()
    assert out.getvalue() == (
        first + b"more\n" + again + b"shorter\n" + b"longer\n" + again + first
    )
    ranges = [each.headers["range"] for each in client.requests("GET", "user_logs/std_log")]
    assert f"bytes={len(first) - 64}-" in ranges[1]


def test_prints_each_status_with_its_time(client: Client) -> None:
    name = client.start("passing-through", "sleep 1; echo done")
    client.printed()
    assert client.run_aml("jobs", "stream", name) == 0
    statuses = re.findall(r"^\d\d:\d\d:\d\d (\w+)$", client.printed().err, re.M)
    assert "Running" in statuses and len(set(statuses)) == len(statuses)


def test_a_stream_survives_a_broken_network(client: Client) -> None:
    name = client.start("broken", "for i in 1 2 3; do echo $i; sleep 1; done")
    client.add_fault(faults.RESET_BEFORE, "GET", "/details")
    # The log is announced, and not there yet.
    client.add_fault(faults.STATUS, "GET", "user_logs", status=404)
    client.add_fault(faults.TRUNCATED, "GET", "user_logs", skip=2)
    client.add_fault(faults.STATUS, "GET", "user_logs", skip=3, status=503)
    assert streamed(client, name) == b"1\n2\n3\n"


def test_reports_a_cancelled_job(client: Client) -> None:
    name = client.start("endless", "echo began; sleep 600")
    client.until(lambda: client.status_of(name) == "Running")
    workspace = client.connect()
    following = BackgroundCall(lambda: stream(workspace, name, io.BytesIO()))
    client.printed()
    assert client.run_aml("jobs", "cancel", name) == 0
    assert following.result(30) == 143
    printed = client.printed()
    assert printed.out == "endless Canceled\n" and printed.err.endswith("\nendless Canceled\n")
    assert client.run_aml("jobs", "cancel", name) == 2
    assert "has ended already, its status is Canceled" in client.printed().err


def test_reports_how_a_job_ended_while_it_was_cancelled(client: Client) -> None:
    name = client.start("quicker", "while [ ! -e go ]; do sleep 0.05; done")
    client.until(lambda: client.status_of(name) == "Running")
    answer = client.service.jobs.execution.view

    def end(job: str) -> RunView:
        """The job ends when the service is about to cancel it."""
        if client.requests("POST", "/cancel") and not answer(job).has_ended:
            (client.service.execution.folder(name).work / "go").touch()
            client.until(lambda: answer(job).has_ended)
        return answer(job)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client.service.jobs.execution, "view", end)
        client.printed()
        assert client.run_aml("jobs", "cancel", name) == 0
    assert client.printed().out == "quicker Completed\n"
    assert [each.status for each in client.requests("POST", "/cancel")] == [400]


def test_ctrl_c_reports_that_the_job_is_still_running(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = client.start("goes-on", "sleep 600")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("azureml_jobs.azure.stream._Follower.follow", interrupted)
        assert client.run_aml("jobs", "stream", name) == 130
    assert "goes-on is still running. Cancel it: ./pants run :aml -- jobs cancel goes-on" in (
        client.printed().err
    )
    assert AzureJobs(client.connect()).cancel(name) == "Canceled"

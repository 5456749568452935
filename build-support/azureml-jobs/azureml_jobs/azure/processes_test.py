"""Submissions each by its own process: at once, under one name, and killed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import JOB, SNAPSHOT, Client, assert_one_whole_job, faults
from azureml_jobs.azure.submission import SubmissionFolder
from azureml_jobs.azure.turns import turn

# So many send the same snapshot before the first of them is through.
AT_ONCE = 4


def test_two_at_once_under_one_name_make_one_job(client: Client) -> None:
    folders = [client.create_submission(JOB, "name=mine") for _ in range(2)]
    assert in_processes(client, folders) == [0, 0]
    (job,) = [job for job in client.jobs() if job["name"] != "first"]
    assert job["name"] == "mine"
    assert client.snapshot(job) == SNAPSHOT
    assert_nothing_is_left(client)


def test_six_at_once_make_six_jobs(client: Client) -> None:
    folders = [client.create_submission() for _ in range(6)]
    assert in_processes(client, folders) == [0] * 6
    jobs = [job for job in client.jobs() if job["name"] != "first"]
    assert {job["name"] for job in jobs} == {folder.path.name for folder in folders}
    assert len(jobs) == 6
    for job in jobs:
        assert client.snapshot(job) == SNAPSHOT
    # Of `first`, and of those that all sent the same snapshot.
    assert len(client.requests("POST", "/startPendingUpload")) > AT_ONCE
    assert_nothing_is_left(client)


def assert_nothing_is_left(client: Client) -> None:
    assert list((client.repository / ".azureml/submissions").iterdir()) == []


def in_processes(client: Client, folders: list[SubmissionFolder]) -> list[int]:
    """Statuses of submissions each by its own process, all at once.

    Nobody has sent their snapshot before, and none of them gets it accepted until several have sent
    it. One more job, `first`, is made of other code: after it, no process has to compile anything.
    """
    client.set(AZUREML_JOBS_PATIENCE="300")
    client.monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    client.gathered.add("src/exp/another.py")

    def started(folder: SubmissionFolder) -> subprocess.Popen[str]:
        process = client.process("submit", str(folder.path), stdout=subprocess.DEVNULL)
        # What else runs on this machine, the service too, goes before so many.
        os.setpriority(os.PRIO_PROCESS, process.pid, 5)
        return process

    processes = [started(client.create_submission(JOB, "name=first"))]
    try:
        assert processes[0].wait(timeout=120) == 0
        client.add_fault(faults.STATUS, "PUT", "/codes/", times=None, status=503)
        processes += map(started, folders)
        deadline = time.monotonic() + 400
        racing = 1 + min(AT_ONCE, len(folders))
        while len(client.requests("POST", "/startPendingUpload")) < racing:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        client.service.faults.clear()
        return [each.wait(timeout=deadline - time.monotonic()) for each in processes[1:]]
    finally:
        for each in processes:
            each.kill()
            each.wait()


def test_a_killed_submission_makes_one_job_when_it_is_started_again(client: Client) -> None:
    folder = client.create_submission()
    # It is killed after the service has taken the job, and before it learns of it.
    rule = client.add_fault(faults.SLOW, "PUT", "/jobs/", seconds=1.0)
    process = client.process("submit", str(folder.path), until=rule)
    process.send_signal(signal.SIGKILL)
    process.wait()
    client.until(client.jobs)
    assert client.submit() == 0
    assert_one_whole_job(client)


def test_a_few_submissions_are_under_way_at_a_time(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    under_way: list[int] = []
    most = []

    def submit(number: int) -> None:
        with turn(tmp_path / "turns", at_once=2):
            under_way.append(number)
            most.append(len(under_way))
            time.sleep(0.05)
            under_way.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(submit, range(8)))
    assert (len(most), max(most)) == (8, 2)
    assert "Waiting for a turn: 2 submissions are under way." in capfd.readouterr().err


def test_a_turn_needs_few_open_files(tmp_path: Path) -> None:
    """A machine with many processors allows no more of them than any other."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 20, hard))
    try:
        with turn(tmp_path, at_once=100), turn(tmp_path, at_once=100):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_submission_that_ends_meanwhile_is_not_continued(client: Client) -> None:
    first = client.create_submission(JOB)
    client.change_submission(first, is_started=True)
    held = SubmissionFolder.held

    def end_and_hold(folder: SubmissionFolder) -> AbstractContextManager[bool]:
        (folder.path / "submission.json").unlink()
        return held(folder)

    client.monkeypatch.setattr(SubmissionFolder, "held", end_and_hold)
    assert client.create_submission(JOB).path != first.path

"""Jobs canceled from another process, and jobs whose runner was killed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.conftest import running
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.state import current_record
from azureml_jobs.local.stream import stream

FOREVER = "echo up; sleep 60 & wait"
# For some seconds, nothing but a kill ends it.
STUBBORN = f"trap '' TERM; {FOREVER}"


@pytest.fixture
def orphan(jobs: Any) -> Iterator[JobFolder]:
    """A job that goes on although its runner was killed."""
    folder: JobFolder = jobs.new(STUBBORN)
    process = jobs.start(folder)
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.wait()
    yield folder
    for pid in running(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_cancels_what_a_killed_runner_left(jobs: Any, orphan: JobFolder, is_recorded: bool) -> None:
    if is_recorded:
        assert stream(orphan, io.BytesIO()) == 1
        record = orphan.read()
        assert (record.status, record.error) == ("Failed", "the runner was killed")
        assert [each.status for each in jobs.workspace.jobs()] == ["Failed"]
    assert running(orphan)
    assert cancel(orphan).status == orphan.read().status == "Canceled"
    assert running(orphan) == []
    with pytest.raises(JobError, match="has ended already, its status is Canceled"):
        cancel(orphan)


def test_a_runner_that_is_killed_takes_its_job_along(jobs: Any) -> None:
    # One of its processes has left the group, as those of some servers do.
    left = "import os; os.setsid(); os.execvp('sleep', ['sleep', '60'])"
    folder = jobs.new(f'{sys.executable} -c "{left}" & {FOREVER}')
    process = jobs.start(folder)
    assert process.stdout.readline() == b"up\n"
    assert len(running(folder)) == 3
    process.kill()
    jobs.until(lambda: not running(folder))
    process.wait()
    assert current_record(folder).error == "the runner was killed"


def test_cancels_from_another_process(jobs: Any) -> None:
    folder = jobs.new("trap 'touch cleaned; exit' TERM; " + FOREVER)
    runner = jobs.start(folder)
    runner.stdout.readline()
    # Reaps the runner, as its parent `./pants` does.
    waiter = threading.Thread(target=runner.wait)
    waiter.start()
    record = cancel(folder)
    waiter.join()
    assert (record.status, record.exit_code) == ("Canceled", 143)
    assert runner.returncode == 143
    assert (folder.work / "cleaned").exists()
    assert running(folder) == []


def test_never_signals_a_process_that_got_the_runner_s_number(jobs: Any) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        runner = {"pid": other.pid, "pid_identity": "another identity"}
        command = {"pgid": other.pid, "pgid_identity": "another identity"}
        folder = jobs.new("true", status="Running", **runner, **command)
        assert cancel(folder).status == "Canceled"
        assert other.poll() is None
        other.kill()


def test_leaves_jobs_of_another_host_alone(jobs: Any) -> None:
    runner = {"host": "elsewhere pid:[1]", "pid": 1, "pid_identity": "x"}
    folder = jobs.new("true", status="Running", **runner)
    assert current_record(folder).status == "Running"
    with pytest.raises(JobError, match="the job runs on elsewhere"):
        cancel(folder)


def test_a_canceled_job_is_not_started(jobs: Any) -> None:
    folder = jobs.new("touch ../started")
    assert cancel(folder).status == "Canceled"
    assert jobs.run(folder)[0] == 2
    assert not (folder.path / "started").exists()


def test_a_job_that_nobody_started_fails_after_a_while(jobs: Any) -> None:
    folder = jobs.new("true", created="2026-01-01T00:00:00.000000+00:00")
    assert current_record(folder).error == "the job was never started"

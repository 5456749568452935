"""The log of a job, followed from another process."""

from __future__ import annotations

import subprocess
from typing import Any

_STREAM = """
import pathlib, sys
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.stream import stream
sys.exit(stream(JobFolder(pathlib.Path(sys.argv[1])), sys.stdout.buffer))
"""


def test_streams_a_running_job_from_another_process(jobs: Any) -> None:
    folder = jobs.new("echo one; while [ ! -e go ]; do sleep 0.02; done; echo two >&2; exit 4")
    runner = jobs.start(folder)
    follower = jobs.python(_STREAM, folder.path)
    assert follower.stdout.readline() == b"one\n"
    (folder.work / "go").touch()
    assert follower.stdout.read() == b"two\n"
    assert follower.wait(30) == runner.wait(10) == 4


def test_streams_until_its_reader_goes_away(jobs: Any) -> None:
    folder = jobs.new("head -c 500000 /dev/zero; exit 3")
    jobs.run(folder)
    follower = jobs.python(_STREAM, folder.path, stderr=subprocess.PIPE)
    follower.stdout.read(1)
    follower.stdout.close()
    assert follower.wait(30) == 141
    assert follower.stderr.read() == b""

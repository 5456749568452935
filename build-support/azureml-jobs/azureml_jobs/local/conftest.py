"""Local jobs for the tests of this folder, run as real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.conftest import Gathered
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import PackagesVenv

_RUN = """
import pathlib, sys
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.runner import execute_job
try:
    sys.exit(execute_job(pathlib.Path(sys.argv[1]), grace=float(sys.argv[2])))
except JobError as error:
    sys.stderr.write(str(error))
    sys.exit(error.status)
"""


class Jobs:
    """Makes jobs in a workspace of its own, and starts them."""

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.workspace = LocalWorkspace(repo / ".azureml")
        self.started: list[subprocess.Popen[bytes]] = []

    def new(self, command: str, **known: Any) -> JobFolder:
        def fill(staging: JobFolder, final: JobFolder) -> JobRecord:
            (staging.bundle / "code").mkdir(parents=True)
            return JobRecord(final.name, command=command, experiment_name="exp", **known)

        return self.workspace.new_job("exp-3f2a9c1d", fill)

    def start(
        self, folder: JobFolder, grace: float = 10, stdout: Any = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start the runner in a process of its own, as `./pants` does."""
        process = subprocess.Popen(
            self.command(folder, grace),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=self.environment(),
            cwd=self.repo,
        )
        self.started.append(process)
        return process

    @staticmethod
    def command(folder: JobFolder, grace: float = 10) -> list[str]:
        return [sys.executable, "-c", _RUN, str(folder.path), str(grace)]

    def run(self, folder: JobFolder, grace: float = 10) -> tuple[int, bytes, bytes]:
        process = self.start(folder, grace)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def environment(self) -> dict[str, str]:
        # Pants gives source roots relative to where the tests run.
        path = os.pathsep.join(os.path.abspath(each) for each in sys.path if each)
        return {**os.environ, "PYTHONPATH": path, "A_SECRET": "of the shell"}

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("waited in vain")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    repo = tmp_path / "a répo"
    repo.mkdir()
    made = Jobs(repo)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def venv(gathered: Gathered, tmp_path: Path) -> PackagesVenv:
    """A virtual environment that is there."""
    made = PackagesVenv(str(tmp_path / "cache" / "venv"), "seed")
    (tmp_path / "cache/venv/bin").mkdir(parents=True)
    (tmp_path / "cache/venv/bin/python").write_text("")
    gathered.venv = made
    return made


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))

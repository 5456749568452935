"""`:local` scripts, with and without a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.local.process import job_processes
from azureml_jobs.local.script import Script

_RUN = """
import pathlib, sys
from azureml_jobs.local.script import execute_script
sys.exit(execute_script(pathlib.Path(sys.argv[1])))
"""


@pytest.fixture
def folder(jobs: Any) -> Path:
    folder: Path = jobs.workspace.root / "local" / "x-1"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "there.txt").write_text("old")
    (jobs.repo / "data").mkdir()
    (jobs.repo / "data" / "d.csv").write_text("1,2")
    (folder / "data").symlink_to(jobs.repo / "data")
    return folder


def with_script(folder: Path, code: str, *args: str, python: str = "") -> Path:
    argv = [sys.executable, "-c", code, *args]
    Script(argv, python, experiment_name="exp", environment_variables={"MINE": "1"}).write(folder)
    return folder


def test_passes_arguments_data_input_and_status(jobs: Any, folder: Path) -> None:
    code = "import sys; print(sys.argv[1:], open('../data/d.csv').read(), input()); sys.exit(9)"
    prepared = with_script(folder, code, "--a", "b c")
    process = jobs.python(_RUN, prepared, stdin=subprocess.PIPE)
    out, _ = process.communicate(b"piped in\n", timeout=30)
    assert (process.returncode, out) == (9, b"['--a', 'b c'] 1,2 piped in\n")
    assert not folder.exists()
    assert (jobs.repo / "data" / "d.csv").exists()


def test_sets_the_variables_of_a_job_without_a_run(jobs: Any, folder: Path, packages: Path) -> None:
    code = "import os; print(*(f'{k}={v}' for k, v in os.environ.items()), sep=chr(10))"
    prepared = with_script(folder, code, python=str(packages))
    process = jobs.python(_RUN, prepared)
    lines = process.communicate(timeout=30)[0].decode().splitlines()
    seen = dict(line.split("=", 1) for line in lines)
    assert seen["MLFLOW_TRACKING_URI"] == jobs.workspace.mlruns.as_uri()
    assert seen["MLFLOW_EXPERIMENT_NAME"] == "exp"
    assert seen["MINE"] == "1"
    assert seen["PATH"].startswith(f"{folder}/environment/bin:{packages}/bin:")
    assert not {"MLFLOW_RUN_ID", "AZUREML_RUN_ID", "A_SECRET"} & set(seen)


def test_keeps_and_reports_files_that_the_script_wrote(jobs: Any, folder: Path) -> None:
    code = "open('new é.txt', 'w').write('x'); open('there.txt', 'a').write('x')"
    process = jobs.python(_RUN, with_script(folder, code), stderr=subprocess.PIPE)
    err = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0
    assert f"kept in {folder / 'code'}:\n  new é.txt\n  there.txt\n" in err
    assert (folder / "code" / "new é.txt").exists()


def test_reports_a_program_that_cannot_be_started(jobs: Any, folder: Path) -> None:
    Script(["/no/such/python"]).write(folder)
    process = jobs.python(_RUN, folder, stderr=subprocess.PIPE)
    err = process.communicate(timeout=30)[1]
    assert b"/no/such/python: it could not be started: No such file or directory." in err
    assert not folder.exists()


def test_leaves_nothing_when_its_environment_cannot_be_made(jobs: Any, folder: Path) -> None:
    python = jobs.repo / "packages/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho no room >&2; exit 1\n")
    python.chmod(0o755)
    prepared = with_script(folder, "", python=str(jobs.repo / "packages"))
    process = jobs.python(_RUN, prepared, stderr=subprocess.PIPE)
    assert (
        b"environment of the run could not be made: no room" in process.communicate(timeout=30)[1]
    )
    assert not folder.exists()


def test_passes_ctrl_c_on_without_a_terminal(jobs: Any, folder: Path) -> None:
    code = (
        "import time\ntry:\n print('up', flush=True); time.sleep(60)\n"
        "finally:\n print('cleaned', flush=True)"
    )
    streams = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = jobs.python(_RUN, with_script(folder, code), **streams)
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == b"cleaned\n"
    assert process.returncode == 130
    assert not folder.exists()


class Terminal:
    """A runner in a new terminal, whose other end a test types into."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-c", _RUN, str(folder)], environment)
        self.seen = b""

    def type(self, keys: bytes) -> None:
        os.write(self.end, keys)

    def wait_for(self, text: bytes, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            if not select.select([self.end], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(self.seen)
            self.seen += os.read(self.end, 4096)

    def status(self) -> int:
        """Read to the end, and return the runner's exit status."""
        with contextlib.suppress(OSError):
            while data := os.read(self.end, 4096):
                self.seen += data
        os.close(self.end)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_script_has_the_terminal(jobs: Any, folder: Path) -> None:
    code = "import sys; print(sys.stdin.isatty(), sys.stdout.isatty(), input('name? ').upper())"
    terminal = Terminal(with_script(folder, code), jobs.environment())
    terminal.wait_for(b"name? ")
    terminal.type(b"ann\n")
    assert terminal.status() == 0
    assert b"True True ANN" in terminal.seen


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_ctrl_c_in_a_terminal_reaches_the_script_itself(jobs: Any, folder: Path) -> None:
    lines: list[str] = [
        "import subprocess, time",
        "other = subprocess.Popen(['sleep', '60'], start_new_session=True)",
        "try:",
        "    print('up', flush=True); time.sleep(60)",
        "finally:",
        "    print('cleaned')",
    ]
    terminal = Terminal(with_script(folder, "\n".join(lines)), jobs.environment())
    terminal.wait_for(b"up")
    terminal.type(b"\x03")
    assert terminal.status() == 130
    assert b"cleaned" in terminal.seen
    assert terminal.seen.count(b"Traceback") == 1  # the script's own
    assert not folder.exists()
    assert job_processes(str(folder), None) == []

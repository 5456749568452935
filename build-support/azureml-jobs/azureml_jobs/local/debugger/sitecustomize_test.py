"""Python processes wait for a debugger, here a stand-in that prints what it does."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from azureml_jobs.local.debugger.debugger import CodeCopy, Debugger
from azureml_jobs.local.process_spec import with_python_path

DEBUGPY = """
import os, time

def listen(address):
    if os.path.exists("taken"):
        os.unlink("taken")
        raise RuntimeError("[Errno 98] Address already in use")
    print("listen", *address, flush=True)

def wait_for_client():
    print("wait", flush=True)
    time.sleep(float(os.environ.get("WAITS", "0")))
    import pydevd_file_utils as files
    for name in ("src/x/main.py", "other.py", "new.py"):
        print(name, "->", files.map_file_to_server("/repo/" + name))
    for name in ("main.py", "new.py"):
        print(name, "=>", *files.map_file_to_client("/work/" + name))
"""
# Like pydevd's: each set-up defines the two functions again.
FILE_UTILS = """
PATHS_FROM_ECLIPSE_TO_PYTHON = []

def setup_client_server_paths(paths):
    global map_file_to_server, map_file_to_client
    map_file_to_server = lambda name: "theirs " + name
    map_file_to_client = lambda name: ("theirs " + name, False)

setup_client_server_paths([])
"""


class Run:
    """A folder in which Python starts under the debugger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        packages = folder / "packages"
        packages.mkdir()
        (packages / "debugpy.py").write_text(DEBUGPY)
        (folder / "own").mkdir()
        (folder / "own" / "pydevd_file_utils.py").write_text(FILE_UTILS)
        code = CodeCopy(Path("/work"), {"main.py": "src/x/main.py"}, Path("/repo"))
        target = folder / "debugger"
        debugger = Debugger("127.0.0.1", 5678, packages)
        self.debugger = debugger.write(target, target, code, None)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            with_python_path([sys.executable, *command], self.debugger),
            cwd=self.folder,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(self.folder / "own"),
                "PYTHONUNBUFFERED": "1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def output(self, *command: str, **environment: str) -> tuple[list[str], str]:
        process = self.start(*command, **environment)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        return out.splitlines(), err


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_waits_before_the_program_and_maps_its_files_to_the_repository(run: Run) -> None:
    out, err = run.output("-c", "print('program')")
    assert out == [
        "listen 127.0.0.1 5678",
        "wait",
        "src/x/main.py -> /work/main.py",
        "other.py -> theirs /repo/other.py",
        "new.py -> theirs /repo/new.py",
        "main.py => /repo/src/x/main.py True",
        "new.py => theirs /work/new.py False",
        "program",
    ]
    assert err == "Debugger: waiting for an editor to attach at 127.0.0.1:5678.\n"


@pytest.mark.parametrize("command", [("-m", "program"), ("program.py",)], ids=["-m", "file"])
def test_waits_before_modules_and_files(run: Run, command: tuple[str, ...]) -> None:
    (run.folder / "program.py").write_text("import sys; print('program', *sys.argv[1:])")
    out, _ = run.output(*command, "--an", "argument")
    assert (out[0], out[-1]) == ("listen 127.0.0.1 5678", "program --an argument")


def test_a_child_does_not_wait(run: Run) -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1)'])"
    out, err = run.output("-c", child)
    assert out.count("wait") == 1 and out[-1] == "1"
    assert err.count("waiting") == 1


def test_takes_the_port_when_the_process_before_releases_it(run: Run) -> None:
    (run.folder / "taken").touch()
    out, _ = run.output("-c", "")
    assert out[0] == "listen 127.0.0.1 5678"


def test_runs_the_environment_s_own_sitecustomize(run: Run) -> None:
    (run.folder / "own" / "sitecustomize.py").write_text("print('own', __name__)")
    code = "import sitecustomize, sys; print(sitecustomize.__file__, *sys.path, sep=chr(10))"
    out, _ = run.output("-c", code)
    assert out[0] == "own sitecustomize"
    assert str(run.folder / "own" / "sitecustomize.py") in out
    # Our folders do not get in the way of the program's imports.
    assert not {run.debugger, str(run.folder / "packages")} & set(out)


def test_ctrl_c_ends_the_wait_without_a_traceback(run: Run) -> None:
    process = run.start("-c", "print('program')", WAITS="60")
    assert process.stdout is not None
    while process.stdout.readline() != "wait\n":
        pass
    time.sleep(0.2)
    process.send_signal(2)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (-2, "")
    assert "Traceback" not in err


def test_a_debugger_that_fails_ends_the_run(run: Run) -> None:
    (run.folder / "packages" / "debugpy.py").write_text("raise ImportError('too new')")
    process = run.start("-c", "print('program')")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert err == "Debugger: it cannot be started: ImportError: too new.\n"

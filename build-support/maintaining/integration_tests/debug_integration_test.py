"""Test that an editor attaches to `run --debug-adapter`, with breakpoints in the repository."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import has_engine, needs_engine
from documents import commands_run_by
from editor import Editor, Stop, free_port
from example import EXPERIMENT, JOB_FILE, MAIN
from images import BUILD_ARGUMENTS
from scratch import Scratch, read_until

LOCAL = f"{EXPERIMENT}/local.py"
MODEL = f"{EXPERIMENT}/model.py"
WAITING = "waiting for an editor"


@pytest.fixture(scope="module", autouse=True)
def image(scratch: Scratch) -> None:
    if has_engine():
        scratch.pants("package", f"{EXPERIMENT}:env", BUILD_ARGUMENTS)


@pytest.fixture
def port() -> int:
    return free_port()


def debug(runtime: str, port: int, command: str, *arguments: str) -> list[str]:
    """Return the arguments of `./pants` for a command of the pages, with another port."""
    words = command.replace("src/X", EXPERIMENT).removesuffix(" -- ARGS").split()[1:]
    options = (f"--azureml-runtime={runtime}", f"--debug-adapter-port={port}")
    return [*options, *words, "--", *arguments]


def debug_target(runtime: str, port: int, target: str, *arguments: str) -> list[str]:
    return debug(runtime, port, f"./pants run --debug-adapter src/X:{target}", *arguments)


def line_of(path: Path, text: str) -> int:
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def check_stop(stop: Stop, position: tuple[Path, int], values: Mapping[str, str]) -> None:
    assert stop.position == position
    assert {name: stop.value(name) for name in values} == values


def test_a_script_stops_in_the_files_that_are_edited(scratch: Scratch, port: int) -> None:
    (command,) = commands_run_by("test_a_script_stops_in_the_files_that_are_edited")
    script, model = scratch.root / LOCAL, scratch.root / MODEL
    in_script = (script, line_of(script, "list(train("))
    in_model = (model, line_of(model, "model.train_epoch("))
    process = scratch.start(*debug("venv", port, command, "--epochs", "1"))
    with Editor(port) as editor:
        editor.attach({script: [in_script[1]], model: [in_model[1]]})
        stop = editor.wait_for_stop()
        check_stop(stop, in_script, {"args.epochs": "1"})
        # Pants runs other commands meanwhile.
        scratch.pants("list", f"{EXPERIMENT}:local")
        stop.resume()
        stop = editor.wait_for_stop()
        check_stop(stop, in_model, {"epoch": "1"})
        assert stop.files[1] == str(script)
        stop.resume()
        editor.wait_for_end()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert f"waiting for an editor to attach at 127.0.0.1:{port}." in out
    assert "accuracy" in out


@pytest.mark.parametrize("runtime", ["venv", pytest.param("docker", marks=needs_engine)])
def test_a_job_stops_in_spite_of_the_editor_s_own_mappings(
    scratch: Scratch, port: int, runtime: str
) -> None:
    (command,) = commands_run_by("test_a_job_stops_in_spite_of_the_editor_s_own_mappings")
    main = scratch.root / MAIN
    position = (main, line_of(main, "saved = model.save("))
    settings = ("--set", "inputs.epochs=1", "--set", "limits.timeout=1")
    process = scratch.start(*debug(runtime, port, command, *settings))
    # VS Code sends this by itself to a debuggee on the same machine.
    mapping = {"localRoot": str(scratch.root), "remoteRoot": str(scratch.root)}
    with Editor(port) as editor:
        editor.attach({main: [position[1]]}, {"pathMappings": [mapping]})
        stop = editor.wait_for_stop()
        check_stop(stop, position, {"args.epochs": "1"})
        stop.resume()
        editor.wait_for_end()
    out, _ = process.communicate(timeout=60)
    # The job's time limit does not apply.
    assert process.returncode == 0, out
    assert "Completed in" in out


PROGRAM = """
import subprocess, sys

if __name__ == "__main__":
    if "parent" in sys.argv:
        subprocess.run([sys.executable, "-m", "example_experiment.local"], check=True)
    said = " ".join(sys.argv[1:])
    print("said", said, flush=True)
"""
JOB_OF_TWO_COMMANDS = """
code: .
command: python local.py one && python local.py two
environment: {build: {path: docker}}
"""


def test_each_command_of_a_job_waits_in_turn(scratch: Scratch, port: int) -> None:
    script = scratch.root / LOCAL
    changes = {LOCAL: PROGRAM, JOB_FILE: JOB_OF_TWO_COMMANDS}
    with scratch.changed(changes):
        position = (script, line_of(script, "print("))
        process = scratch.start(*debug_target("venv", port, "job"))
        assert process.stdout is not None
        out = ""
        for word in ("one", "two"):
            # For a moment the first command's debugger still accepts connections.
            out += read_until(process, WAITING)
            with Editor(port) as editor:
                editor.attach({script: [position[1]]})
                stop = editor.wait_for_stop()
                check_stop(stop, position, {"said": f"'{word}'"})
                stop.resume()
                editor.wait_for_end()
        out += process.stdout.read()
        process.wait(timeout=60)
    assert process.returncode == 0, out
    assert out.count(WAITING) == 2


def test_a_process_that_a_program_starts_is_debugged_with_it(scratch: Scratch, port: int) -> None:
    script = scratch.root / LOCAL
    with scratch.changed({LOCAL: PROGRAM}):
        position = (script, line_of(script, "print("))
        process = scratch.start(*debug_target("venv", port, "local", "parent"))
        with Editor(port) as editor:
            editor.attach({script: [position[1]]})
            with Editor(port) as second:
                second.attach({script: [position[1]]}, editor.wait_for_child())
                stop = second.wait_for_stop()
                check_stop(stop, position, {"said": "''"})
                stop.resume()
            stop = editor.wait_for_stop()
            check_stop(stop, position, {"said": "'parent'"})
            stop.resume()
            editor.wait_for_end()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert out.count(WAITING) == 1


def test_ctrl_c_ends_a_job_that_waits(scratch: Scratch, port: int) -> None:
    process = scratch.start(*debug_target("venv", port, "job"))
    read_until(process, WAITING)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "canceled by SIGINT" in out
    assert "Traceback" not in out


def test_reports_a_port_in_use_before_anything_runs(scratch: Scratch) -> None:
    before = scratch.job_folders()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = scratch.pants(*debug_target("venv", port, "job"), status=1)
    assert (
        f"the debugger cannot listen at 127.0.0.1:{port}: Address already in use." in result.stderr
    )
    assert scratch.job_folders() == before


def test_a_shell_has_no_debugger(scratch: Scratch, port: int) -> None:
    result = scratch.pants(*debug_target("venv", port, "terminal"), status=1)
    assert "with a debug adapter is not yet supported" in result.stderr

"""Test that an editor attaches to `run --debug-adapter`, with breakpoints in the repository."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import has_engine, needs_engine
from documents import commands_run_by
from editor import Editor, Position, Stop
from example import EXPERIMENT, JOB_FILE, MAIN
from images import BUILD_ARGUMENTS
from scratch import Scratch, read_until

LOCAL = f"{EXPERIMENT}/local.py"
MODEL = f"{EXPERIMENT}/model.py"
RUN = "./pants run --debug-adapter src/X"
WAITING = "waiting for an editor"


@pytest.fixture(scope="module", autouse=True)
def image(scratch: Scratch) -> None:
    if has_engine():
        scratch.pants("package", f"{EXPERIMENT}:env", BUILD_ARGUMENTS)


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def debug(runtime: str, port: int, command: str, *arguments: str) -> list[str]:
    """Return the arguments of `./pants` for a command of the pages, with another port."""
    words = command.replace("src/X", EXPERIMENT).removesuffix(" -- ARGS").split()[1:]
    options = (f"--azureml-runtime={runtime}", f"--debug-adapter-port={port}")
    return [*options, *words, "--", *arguments]


def position_of(path: Path, text: str) -> Position:
    lines = path.read_text().splitlines()
    return path, next(number for number, line in enumerate(lines, 1) if text in line)


def stop_at(editor: Editor, position: Position, **values: str) -> Stop:
    """Wait for a stop, which must be there, with these values of names."""
    stop = editor.wait_for_stop()
    assert stop.positions[0] == position
    assert {name: stop.value(name) for name in values} == values
    return stop


def test_a_script_stops_in_the_files_that_are_edited(scratch: Scratch, port: int) -> None:
    (command,) = commands_run_by("test_a_script_stops_in_the_files_that_are_edited")
    in_script = position_of(scratch.root / LOCAL, "list(train(")
    in_model = position_of(scratch.root / MODEL, "model.train_epoch(")
    process = scratch.start(*debug("venv", port, command, "--epochs", "1"))
    with Editor(port) as editor:
        editor.attach(in_script, in_model)
        stop = stop_at(editor, in_script)
        assert stop.value("args.epochs") == "1"
        # Pants runs other commands meanwhile.
        scratch.pants("list", f"{EXPERIMENT}:local")
        stop.resume()
        stop = stop_at(editor, in_model, epoch="1")
        assert stop.positions[1] == in_script
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
    position = position_of(scratch.root / MAIN, "saved = model.save(")
    settings = ("--set", "inputs.epochs=1", "--set", "limits.timeout=1")
    process = scratch.start(*debug(runtime, port, command, *settings))
    # VS Code sends this by itself to a debuggee on the same machine.
    mapping = {"localRoot": str(scratch.root), "remoteRoot": str(scratch.root)}
    with Editor(port) as editor:
        editor.attach(position, more={"pathMappings": [mapping]})
        stop = stop_at(editor, position)
        assert stop.value("args.epochs") == "1"
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
    with scratch.changed({LOCAL: PROGRAM, JOB_FILE: JOB_OF_TWO_COMMANDS}):
        position = position_of(scratch.root / LOCAL, "print(")
        process = scratch.start(*debug("venv", port, f"{RUN}:job"))
        out = ""
        for word in ("one", "two"):
            # For a moment the first command's debugger still accepts connections.
            out += read_until(process, WAITING)
            with Editor(port) as editor:
                editor.attach(position)
                stop_at(editor, position, said=f"'{word}'").resume()
                editor.wait_for_end()
        out += process.communicate()[0]
    assert process.returncode == 0, out
    assert out.count(WAITING) == 2


def test_a_process_that_a_program_starts_is_debugged_with_it(scratch: Scratch, port: int) -> None:
    with scratch.changed({LOCAL: PROGRAM}):
        position = position_of(scratch.root / LOCAL, "print(")
        process = scratch.start(*debug("venv", port, f"{RUN}:local", "parent"))
        with Editor(port) as editor:
            editor.attach(position)
            with Editor(port) as second:
                second.attach(position, more=editor.wait_for_child())
                stop_at(second, position, said="''").resume()
            stop_at(editor, position, said="'parent'").resume()
            editor.wait_for_end()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert out.count(WAITING) == 1


def test_a_shell_has_no_debugger(scratch: Scratch, port: int) -> None:
    result = scratch.pants(*debug("venv", port, f"{RUN}:terminal"), status=1)
    assert "with a debug adapter is not yet supported" in result.stderr

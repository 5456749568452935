"""`run --debug-adapter`: an editor attaches, and its breakpoints are in the repository's files."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import has_engine, needs_engine
from documents import commands_run_by
from editor import Editor, Stop, free_port
from images import BUILD_ARGUMENTS, containers
from scratch import Scratch

FOLDER = "src/example_experiment"
MODEL = f"{FOLDER}/model.py"
RUNTIMES = ["venv", pytest.param("docker", marks=needs_engine)]


@pytest.fixture(scope="module", autouse=True)
def image(scratch: Scratch) -> None:
    if has_engine():
        scratch.pants("package", f"{FOLDER}:env", BUILD_ARGUMENTS)


@pytest.fixture
def port() -> int:
    return free_port()


def debug(runtime: str, port: int, target: str, *arguments: str) -> list[str]:
    return [
        *("run", f"--azureml-runtime={runtime}", "--debug-adapter", f"--debug-adapter-port={port}"),
        *(f"{FOLDER}:{target}", "--", *arguments),
    ]


def line_of(path: Path, text: str) -> int:
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def check_stop(stop: Stop, place: tuple[Path, int], values: Mapping[str, str]) -> None:
    assert stop.place == place
    assert {name: stop.value(name) for name in values} == values


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_script_stops_in_the_files_that_are_edited(
    scratch: Scratch, port: int, runtime: str
) -> None:
    script, model = scratch.root / FOLDER / "local.py", scratch.root / MODEL
    ours = (script, line_of(script, "list(train("))
    shared = (model, line_of(model, "model.train_epoch("))
    process = scratch.start(*debug(runtime, port, "local", "--epochs", "1"))
    with Editor(port) as editor:
        editor.attach({script: [ours[1]], model: [shared[1]]})
        stop = editor.stopped()
        check_stop(stop, ours, {"args.epochs": "1"})
        # Pants is free meanwhile.
        scratch.pants("list", f"{FOLDER}:local")
        stop.go_on()
        stop = editor.stopped()
        check_stop(stop, shared, {"epoch": "1"})
        assert stop.files[1] == str(script)
        stop.go_on()
        editor.until_the_end()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert f"waiting for an editor to attach at 127.0.0.1:{port}." in out
    assert "accuracy" in out


def test_an_editor_attaches_to_what_the_documentation_starts(scratch: Scratch, port: int) -> None:
    commands = commands_run_by("test_an_editor_attaches_to_what_the_documentation_starts")
    for command in commands:
        typed = command.replace("src/X", FOLDER).replace("-- ARGS", "-- --epochs 1").split()
        # Another port than the default, which somebody may use; and which runtime, both are tested.
        options = ("--azureml-runtime=venv", f"--debug-adapter-port={port}")
        process = scratch.start(*options, *typed[1:])
        name = "local.py" if f"{FOLDER}:local" in typed else "main.py"
        script = scratch.root / FOLDER / name
        place = (script, line_of(script, "parser = argparse.ArgumentParser("))
        with Editor(port) as editor:
            editor.attach({script: [place[1]]})
            stop = editor.stopped()
            assert stop.place == place
            stop.go_on()
            editor.until_the_end()
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_job_stops_there_also_for_an_editor_with_mappings_of_its_own(
    scratch: Scratch, port: int, runtime: str
) -> None:
    main = scratch.root / FOLDER / "main.py"
    ours = (main, line_of(main, "saved = model.save("))
    settings = ("--set", "inputs.epochs=1", "--set", "limits.timeout=1")
    process = scratch.start(*debug(runtime, port, "job", *settings))
    # What VS Code sends by itself to this machine.
    mapping = {"localRoot": str(scratch.root), "remoteRoot": str(scratch.root)}
    with Editor(port) as editor:
        editor.attach({main: [ours[1]]}, {"pathMappings": [mapping]})
        stop = editor.stopped()
        check_stop(stop, ours, {"args.epochs": "1"})
        stop.go_on()
        editor.until_the_end()
    out, _ = process.communicate(timeout=60)
    # The job's time limit does not count.
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
JOB_OF_TWO = """
code: .
command: python local.py one && python local.py two
environment: {build: {path: docker}}
"""


def test_each_command_of_a_job_waits_in_its_turn(scratch: Scratch, port: int) -> None:
    script = scratch.root / FOLDER / "local.py"
    changes = {f"{FOLDER}/local.py": PROGRAM, f"{FOLDER}/azure-ml-job.yaml": JOB_OF_TWO}
    with scratch.changed(changes):
        place = (script, line_of(script, "print("))
        process = scratch.start(*debug("venv", port, "job"))
        assert process.stdout is not None
        out = ""
        for word in ("one", "two"):
            # Not before: for a moment the debugger of the first command takes connections still.
            for line in process.stdout:
                out += line
                if "waiting for an editor" in line:
                    break
            with Editor(port) as editor:
                editor.attach({script: [place[1]]})
                stop = editor.stopped()
                check_stop(stop, place, {"said": f"'{word}'"})
                stop.go_on()
                editor.until_the_end()
        out += process.stdout.read()
        process.wait(timeout=60)
    assert process.returncode == 0, out
    assert out.count("waiting for an editor") == 2


def test_a_process_that_a_program_starts_is_debugged_with_it(scratch: Scratch, port: int) -> None:
    script = scratch.root / FOLDER / "local.py"
    with scratch.changed({f"{FOLDER}/local.py": PROGRAM}):
        place = (script, line_of(script, "print("))
        process = scratch.start(*debug("venv", port, "local", "parent"))
        with Editor(port) as editor:
            editor.attach({script: [place[1]]})
            with Editor(port) as second:
                second.attach({script: [place[1]]}, editor.new_process())
                stop = second.stopped()
                check_stop(stop, place, {"said": "''"})
                stop.go_on()
            stop = editor.stopped()
            check_stop(stop, place, {"said": "'parent'"})
            stop.go_on()
            editor.until_the_end()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert out.count("waiting for an editor") == 1


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ctrl_c_ends_a_job_that_waits(scratch: Scratch, port: int, runtime: str) -> None:
    process = scratch.start(*debug(runtime, port, "job"))
    seen = ""
    assert process.stdout is not None
    while "waiting for an editor" not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "canceled by SIGINT" in out
    assert "Traceback" not in out
    if runtime == "docker":
        assert containers(scratch.job_folders()[-1]) == []


def test_a_port_in_use_is_told_before_anything_runs(scratch: Scratch) -> None:
    before = scratch.job_folders()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = scratch.pants(*debug("venv", port, "job"), status=1)
    assert f"the debugger cannot wait at 127.0.0.1:{port}: Address already in use." in result.stderr
    assert scratch.job_folders() == before


def test_a_shell_has_no_debugger(scratch: Scratch, port: int) -> None:
    result = scratch.pants(*debug("venv", port, "terminal")[:5], status=1)
    assert "with a debug adapter is not yet supported" in result.stderr

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.conftest import Tool

CONTINUE = """
import pathlib, sys
from azureml_jobs.base import exec_after_pants as module
module.RUN_SCRIPT = pathlib.Path(sys.argv[1])
print("before")
status = module.exec_after_pants(sys.argv[2:])
print("after")
sys.exit(status)
"""
NEXT = "import os, sys\nprint(os.getpid(), sys.argv[1:])\nsys.exit(7)\n"
ARGUMENTS = ("execute", "a b/ü", "", "--x=\ny")


def test_names_the_script_that_starts_the_tool() -> None:
    assert RUN_SCRIPT.name == "run.py"
    assert RUN_SCRIPT.is_file()


def test_writes_the_command_line_for_the_launcher_and_starts_nothing(
    tool: Tool, tmp_path: Path
) -> None:
    script = tmp_path / "nächstes.py"
    script.write_text(NEXT)
    file = tmp_path / "command line"
    file.write_bytes(b"x" * 1000)
    done = tool.run("-c", CONTINUE, str(script), *ARGUMENTS, AZUREML_JOBS_EXEC_FILE=str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nafter\n", "")
    parts = file.read_bytes().split(b"\0")
    assert parts.pop() == b""
    executable, *rest = [os.fsdecode(part) for part in parts]
    assert os.path.samefile(executable, sys.executable)
    assert rest == [str(script), *ARGUMENTS]


@pytest.mark.parametrize("variable", [{}, {"AZUREML_JOBS_EXEC_FILE": ""}], ids=["unset", "empty"])
def test_becomes_the_command_without_a_launcher(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: dict[str, str]
) -> None:
    monkeypatch.delenv("AZUREML_JOBS_EXEC_FILE", raising=False)
    script = tmp_path / "next.py"
    script.write_text(NEXT)
    done = tool.run("-c", CONTINUE, str(script), *ARGUMENTS, **variable)
    assert done.returncode == 7
    first, second = done.stdout.splitlines()
    # What was printed before comes first, though Python had only buffered it.
    assert first == "before"
    assert second.partition(" ")[2] == str(list(ARGUMENTS))

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
ARGUMENTS = ("execute", "a b/ü", "", "--x=\ny")


def test_writes_the_command_line_for_the_launcher_or_else_becomes_the_command(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert RUN_SCRIPT.is_file()
    monkeypatch.delenv("AZUREML_JOBS_EXEC_FILE", raising=False)
    script, file = tmp_path / "nächstes.py", tmp_path / "command line"
    script.write_text("import sys\nprint(sys.argv[1:])\nsys.exit(7)\n")
    file.write_bytes(b"x" * 1000)
    done = tool.run("-c", CONTINUE, str(script), *ARGUMENTS, AZUREML_JOBS_EXEC_FILE=str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nafter\n", "")
    executable, *rest = [os.fsdecode(part) for part in file.read_bytes().split(b"\0")]
    assert os.path.samefile(executable, sys.executable)
    assert rest == [str(script), *ARGUMENTS, ""]
    done = tool.run("-c", CONTINUE, str(script), *ARGUMENTS, AZUREML_JOBS_EXEC_FILE="")
    # What was printed before comes first, though Python had only buffered it.
    assert (done.returncode, done.stdout) == (7, f"before\n{list(ARGUMENTS)}\n")

"""Test the editor's settings in its environment: imports, programs and tests."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from documents import commands_run_by
from example import EXPERIMENT, MAIN, MLFLOW_IS_QUIET
from scratch import Scratch, repository_root
from settings import read

ROOT = repository_root()


class VSCode:
    """The copy as an editor sees it: its environment, and the variables of `.vscode`."""

    def __init__(self, scratch: Scratch) -> None:
        self.root = scratch.root
        settings = read(".vscode/settings.json")
        self.python = self.filled(settings["python.defaultInterpreterPath"])
        self.variables = self.variables_of(settings["python.envFile"])
        self._environment = scratch.environment()

    def filled(self, text: str, file: str = "") -> str:
        path = self.root / file
        return (
            text.replace("${workspaceFolder}", str(self.root))
            .replace("${fileDirname}", str(path.parent))
            .replace("${file}", str(path))
        )

    def variables_of(self, file: str) -> dict[str, str]:
        lines = Path(self.filled(file)).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def run(self, *arguments: str, folder: Path, variables: dict[str, str]) -> str:
        # A program that hangs prints where each of its threads is.
        ran = subprocess.run(
            ["timeout", "--signal=ABRT", "--kill-after=10", "120", self.python, *arguments],
            cwd=folder,
            env={**self._environment, **variables, "PYTHONFAULTHANDLER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    def launch(self, name: str, file: str) -> str:
        """Start an entry of `launch.json` for the open file, as the editor does."""
        (entry,) = [
            each for each in read(".vscode/launch.json")["configurations"] if each["name"] == name
        ]
        started = ("-m", entry["module"]) if "module" in entry else (entry["program"],)
        words = [self.filled(word, file) for word in (*started, *entry.get("args", ()))]
        folder = Path(self.filled(entry["cwd"], file))
        return self.run(*words, folder=folder, variables=self.variables_of(entry["envFile"]))


@pytest.fixture(scope="module")
def vscode(scratch: Scratch) -> VSCode:
    for command in commands_run_by("vscode"):
        scratch.bash(command)
    return VSCode(scratch)


WHERE = """\
import json, sys, importlib
print(json.dumps({name: importlib.import_module(name).__file__ for name in sys.argv[1:]}))
"""


def test_imports_lead_to_the_repository_and_to_locked_packages(
    scratch: Scratch, vscode: VSCode
) -> None:
    modules = ("common.tracking", "example_experiment.main", "numpy", "mlflow", "pytest")
    printed = vscode.run("-c", WHERE, *modules, folder=scratch.root, variables=vscode.variables)
    found = json.loads(printed.splitlines()[-1])
    assert found["common.tracking"] == str(scratch.root / "src/common/tracking.py")
    assert found["example_experiment.main"] == str(scratch.root / EXPERIMENT / "main.py")
    packages = (scratch.root / ".venv").resolve()
    for name in modules[2:]:
        assert Path(found[name]).resolve().is_relative_to(packages), found[name]
    numpy = next((scratch.root / ".venv").glob("lib/python3.11/site-packages/numpy-*.dist-info"))
    lock = (scratch.root / "3rdparty/python/experiments.lock").read_text()
    assert f"/{numpy.name.removesuffix('.dist-info')}-" in lock


# What an editor does with a notebook, in fewer messages.
CELL = """\
from jupyter_client.manager import run_kernel
with run_kernel() as kernel:
    kernel.execute_interactive("import numpy, common.tracking; print(common.tracking.__file__)")
"""


def test_a_notebook_runs_in_the_environment(scratch: Scratch, vscode: VSCode) -> None:
    folder = scratch.root / "notebooks"
    printed = vscode.run("-c", CELL, folder=folder, variables=vscode.variables)
    assert str(scratch.root / "src/common/tracking.py") in printed


def test_entries_of_the_debugger_start_what_they_say(vscode: VSCode) -> None:
    assert "accuracy" in vscode.launch("local.py next to the open file", MAIN)
    assert "accuracy" in vscode.launch("The open file", f"{EXPERIMENT}/local.py")
    tested = vscode.launch("Tests of the open file", f"{EXPERIMENT}/tests/test_main.py")
    assert re.search(r"\d+ passed", tested)


def test_mlflow_reports_nothing_to_its_makers(scratch: Scratch, vscode: VSCode) -> None:
    for entry in read(".vscode/launch.json")["configurations"]:
        if entry["request"] == "launch":
            variables = vscode.variables_of(entry["envFile"])
            vscode.run("-c", MLFLOW_IS_QUIET, folder=scratch.root, variables=variables)


def test_the_editor_runs_the_tests_of_experiments(scratch: Scratch, vscode: VSCode) -> None:
    arguments = read(".vscode/settings.json")["python.testing.pytestArgs"]
    tested = vscode.run("-m", "pytest", *arguments, folder=scratch.root, variables=vscode.variables)
    assert re.search(r"\d+ passed", tested)


def test_the_debugger_starts_the_open_file_or_its_neighbour() -> None:
    entries = read(".vscode/launch.json")["configurations"]
    assert {entry["program"] for entry in entries if "program" in entry} == {
        "${file}",
        "${fileDirname}/local.py",
    }
    for entry in entries:
        if entry["request"] == "launch":
            assert entry["envFile"] == read(".vscode/settings.json")["python.envFile"]
        else:
            # The default of `--debug-adapter`, and no mappings to a copy.
            assert entry["connect"] == {"host": "127.0.0.1", "port": 5678}
            assert set(entry) == {"name", "type", "request", "connect"}


def test_the_editor_knows_the_source_roots() -> None:
    paths = read(".vscode/settings.json")["python.analysis.extraPaths"]
    roots = re.findall(r'^  "/([\w/-]+)",$', (ROOT / "pants.toml").read_text(), re.MULTILINE)
    assert paths == roots

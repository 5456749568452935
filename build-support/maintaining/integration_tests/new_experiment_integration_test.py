"""Test that `./pants new-experiment` writes what works at once, and nothing for an invalid name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example import EXPERIMENT, MLFLOW_IS_QUIET
from scratch import Scratch


def test_new_experiments_work_without_an_edit(restored: Scratch) -> None:
    # Nested ones have names that sort before and after all others, in a new folder and in an
    # existing one.
    nested = ("a/b", "a/" + "z" * 58)
    report = restored.pants("new-experiment", "--name=zebra_1").stdout
    for name, origin in zip(nested, ("scikit-learn", "plain")):
        restored.pants("new-experiment", f"--name={name}", f"--from={origin}")
    restored.pants("new-experiment", "--name=a/copied", f"--from={EXPERIMENT}")
    restored.pants("fmt", "src/a/copied::")
    commands = [line.split()[1:] for line in report.splitlines() if line.startswith("  ./pants ")]
    assert [command[0] for command in commands] == ["run", "run", "test"]
    assert (restored.root / "src/zebra_1/README.md").exists()
    for command in commands:
        restored.pants(*command)
    newest = restored.jobs()[0]
    assert newest["status"] == "Completed"
    shown = restored.json("run", ":aml", "--", "jobs", "show", newest["name"], "--json")
    assert shown["metrics"]["loss"] < 0.1
    assert len(shown["metric_history"]["loss"]) == 50
    assert (Path(shown["outputs"]["model"]) / "model.json").exists()
    dry_run = restored.json("run", "src/a/b:job", "--", "--dry-run", "--json")
    sent = {file["path"] for file in dry_run["snapshot"]["files"]}
    assert {"a/__init__.py", "a/b/main.py", "common/tracking.py"} <= sent
    pipeline = restored.json("run", "src/a/copied:pipeline", "--", "--dry-run", "--json")
    assert "example_experiment" not in json.dumps(pipeline)
    restored.pants("lint", "check", "src/zebra_1::", "src/a::")
    # The module asks when it is imported, before pytest says that it runs a test.
    quiet = f"{MLFLOW_IS_QUIET}\n\ndef test_nothing() -> None:\n    pass\n"
    (restored.root / "src/a/b/tests/test_quiet.py").write_text(quiet, encoding="utf-8")
    restored.pants("test", "src/a/b::", "src/a/copied/tests/test_model.py")
    restored.pants("tailor", "--check", "update-build-files", "--check", "::")


def test_a_template_whose_packages_are_not_locked_prints_how_to_lock_them(
    restored: Scratch,
) -> None:
    report = restored.pants("new-experiment", "--name=deep", "--from=pytorch").stdout
    steps = report.partition("Next:\n  ")[2].split("\n  ")
    assert steps[0] == "echo 'torch>=2.9,<3' >>3rdparty/python/experiments-requirements.txt"
    assert steps[1:3] == ["./pants sync-lockfiles", "./pants run src/deep:local"]
    restored.pants("lint", "--only=black", "--only=flake8", "--only=isort", "src/deep::")
    ran = restored.pants("run", "src/deep:job", status=2)
    assert "has the module `torch`" in ran.stderr


@pytest.mark.parametrize(
    "name, message",
    [("mlflow", "3rdparty/python/"), ("scipy", "experiments.lock"), ("mlruns", ".gitignore")],
    ids=["a required package", "a locked package", "ignored by git"],
)
def test_an_invalid_name_is_reported_and_nothing_is_written(
    scratch: Scratch, name: str, message: str
) -> None:
    sources = scratch.root / "src"
    before = sorted(sources.rglob("*"))
    ran = scratch.pants("new-experiment", f"--name={name}", status=2)
    assert message in ran.stderr
    assert "raceback" not in ran.stderr
    assert ran.stdout == ""
    assert sorted(sources.rglob("*")) == before


def test_help_says_how_to_write_it(scratch: Scratch) -> None:
    assert "--name=my_experiment" in scratch.pants("help", "new-experiment").stdout

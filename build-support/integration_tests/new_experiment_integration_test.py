"""Test that `./pants new-experiment` writes what works at once, and nothing for an invalid name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from documents import commands_run_by
from scratch import Scratch


def test_new_experiments_work_without_an_edit(restored: Scratch) -> None:
    # Nested ones have names that sort before and after all others, in a new folder and in an
    # existing one.
    nested = ("a/b", "a/" + "z" * 58)
    report = restored.pants("new-experiment", "--name=zebra_1").stdout
    for name in nested:
        restored.pants("new-experiment", f"--name={name}")
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
    checked = restored.pants("lint", "check", "test", "src/zebra_1::", "src/a::").stderr
    assert "src/a/b/tests/test_main.py:../tests succeeded" in checked
    restored.pants("tailor", "--check", "update-build-files", "--check", "::")


def locked_numpy(scratch: Scratch, experiment: str) -> str:
    """Return the pinned numpy of an experiment's image."""
    scratch.pants("export-codegen", f"src/{experiment}:requirements")
    path = scratch.root / f"dist/codegen/src/{experiment}/docker/requirements.txt"
    (line,) = [line for line in path.read_text().splitlines() if line.startswith("numpy==")]
    return line.split()[0]


OLD_JOB = "src/my_old_experiment:job"
COW = "import cowsay  # noqa: E402\n\nprint(cowsay.get_output_string('cow', 'hi'))\n"


def test_an_experiment_has_other_versions_in_its_own_resolve(restored: Scratch) -> None:
    root = restored.root
    *copies, sync = commands_run_by("test_an_experiment_has_other_versions_in_its_own_resolve")
    for copy in copies:
        shutil.copy(root / copy.split()[1], root / copy.split()[2])
    restored.pants("new-experiment", "--name=my_old_experiment")
    for path, old, new in (
        (
            "pants.toml",
            "[python.resolves]",
            '[python.resolves]\nolder = "3rdparty/python/older.lock"',
        ),
        ("build-support/macros/resolves.py", "OWN_RESOLVES = ()", 'OWN_RESOLVES = ("older",)'),
        ("src/my_old_experiment/BUILD", "experiment()", 'experiment(resolve="older")'),
        ("src/my_old_experiment/main.py", 'print(f"loss', 'print(f"numpy {np.__version__} loss'),
    ):
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))
    with (root / "src/my_old_experiment/main.py").open("a") as main:
        main.write(f"\n{COW}")

    # The messages for a package that is required nowhere, and for one that is not locked, name the
    # command that locks it.
    refused = restored.pants("run", OLD_JOB, status=2).stderr
    assert "to 3rdparty/python/older-requirements.txt" in refused and f"`{sync}`" in refused
    packages = root / "3rdparty/python/older-requirements.txt"
    packages.write_text(f"{packages.read_text()}\ncowsay>=6,<7\n")
    forgotten = restored.pants("run", OLD_JOB, status=2).stderr
    assert "older.lock: it does not have cowsay" in forgotten and f"`{sync}`" in forgotten
    text = re.sub(r"(?m)^numpy.*", "numpy>=2.2,<2.3", packages.read_text())
    packages.write_text(re.sub(r"(?m)^pandas.*\n", "", text))
    report = restored.pants(*sync.split()[1:]).stdout
    assert "  added    cowsay 6." in report and "  moved    numpy 2." in report
    # The lock does not name the host of this machine's package index.
    lock = (root / "3rdparty/python/older.lock").read_text()
    assert set(re.findall(r'"url": "https:/(/?[^/"]+)', lock)) == {"${PACKAGE_FILES}"}

    ran = restored.pants("run", OLD_JOB, "--", "--set", "inputs.steps=1")
    assert "numpy 2.2." in ran.stdout and "| hi |" in ran.stdout
    restored.pants("test", "src/my_old_experiment::")
    assert locked_numpy(restored, "my_old_experiment").startswith("numpy==2.2.")
    # The others stay as they are, and both import the same shared code.
    assert not locked_numpy(restored, "example_experiment").startswith("numpy==2.2.")
    for experiment in ("my_old_experiment", "example_experiment"):
        report = restored.json("run", f"src/{experiment}:job", "--", "--dry-run", "--json")
        sent = {file["path"] for file in report["snapshot"]["files"]}
        assert "common/tracking.py" in sent


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

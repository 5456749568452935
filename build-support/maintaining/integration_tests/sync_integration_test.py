"""Test that `./pants sync-lockfiles` makes the smallest change, with the real package index."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

from documents import commands_run_by
from scratch import Scratch, read_until, wait_for

FOLDER = "3rdparty/python"


def require(scratch: Scratch, resolve: str, *lines: str) -> Path:
    """Add requirements to those that the resolve has in git; return its lock."""
    path = f"{FOLDER}/{resolve}-requirements.txt"
    before = scratch.git("show", f"HEAD:{path}")
    (scratch.root / path).write_text("\n".join([before, *lines, ""]))
    return scratch.root / FOLDER / f"{resolve}.lock"


def packages(lock: Path) -> dict[str, Any]:
    """Return a lock's entry for each package: version, files, hashes."""
    lines = [line for line in lock.read_text().splitlines() if not line.startswith("//")]
    (resolve,) = json.loads("\n".join(lines))["locked_resolves"]
    return {package["project_name"]: package for package in resolve["locked_requirements"]}


def test_only_necessary_packages_move(restored: Scratch) -> None:
    # A lock with an older release than its requirements allow today.
    lock = require(restored, "isort", "cowsay==6.0", "platformdirs>=4")
    text = lock.read_bytes()
    restored.pants("sync-lockfiles")
    behind, kept = packages(lock), lock.read_bytes()
    assert behind["cowsay"]["version"] == "6.0"

    # What is no longer required leaves no trace.
    require(restored, "isort")
    assert "  removed  cowsay 6.0" in restored.pants("sync-lockfiles").stdout
    assert lock.read_bytes() == text
    lock.write_bytes(kept)

    # The new package wants `platformdirs<4`.
    require(restored, "isort", "cowsay>=5", "platformdirs", "virtualenv==20.21.0")
    report = restored.pants("sync-lockfiles").stdout
    assert report.count("  moved ") == report.count("  moved    platformdirs 4.") == 1
    synced = packages(lock)
    assert {name for name in behind if synced[name] != behind[name]} == {"platformdirs"}
    assert set(synced) - set(behind) == {"virtualenv", "distlib", "filelock"}

    restored.pants("generate-lockfiles", "--resolve=isort")
    assert packages(lock)["cowsay"]["version"] != "6.0"
    # Both goals write the same format.
    report = restored.pants("sync-lockfiles", "--resolve=isort").stdout
    assert report == f"{FOLDER}/isort.lock: nothing to do, it fits its requirements.\n"


def test_reports_a_limit_without_a_release_and_writes_nothing(restored: Scratch) -> None:
    lock = require(restored, "isort", "cowsay>=99")
    before = lock.read_bytes()
    ran = restored.pants("sync-lockfiles", status=2)
    assert (
        f"{FOLDER}/isort-requirements.txt: no versions satisfy these requirements.\n" in ran.stderr
    )
    assert "you require cowsay>=99" in ran.stderr
    assert "raceback" not in ran.stderr and "pid " not in ran.stderr
    assert lock.read_bytes() == before


def test_an_interrupt_does_not_change_the_lock(restored: Scratch) -> None:
    lock = require(restored, "isort", "cowsay")
    before = lock.read_bytes()
    started = restored.start("sync-lockfiles")
    read_until(started, "Sync the lockfile of isort")
    os.killpg(started.pid, signal.SIGINT)
    wait_for(lambda: started.poll() is not None, "the end of the command")
    assert started.returncode != 0
    assert lock.read_bytes() == before
    assert list(lock.parent.glob(".*")) == []


def locked_numpy(scratch: Scratch, experiment: str) -> str:
    """Return the pinned numpy of an experiment's image."""
    scratch.pants("export-codegen", f"src/{experiment}:requirements")
    path = scratch.root / f"dist/codegen/src/{experiment}/docker/requirements.txt"
    (line,) = [line for line in path.read_text().splitlines() if line.startswith("numpy==")]
    return line.split()[0]


OLD_JOB = "src/my_old_experiment:job"
COW = "import cowsay  # noqa: E402\n\nprint(cowsay.get_output_string('cow', 'hi'))\n"


# The last test of all that share this copy: another `pants.toml` makes a new scheduler.
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
    assert locked_numpy(restored, "my_old_experiment").startswith("numpy==2.2.")
    # The others stay as they are, and both import the same shared code.
    assert not locked_numpy(restored, "example_experiment").startswith("numpy==2.2.")
    for experiment in ("my_old_experiment", "example_experiment"):
        report = restored.json("run", f"src/{experiment}:job", "--", "--dry-run", "--json")
        sent = {file["path"] for file in report["snapshot"]["files"]}
        assert "common/tracking.py" in sent

"""`./pants sync-lockfiles`, against the real package index: the least change, both ways."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any
from collections.abc import Iterator

import pytest
from scratch import Scratch, wait_for

JOB = "src/example_experiment:job"
MAIN = "src/example_experiment/main.py"
FOLDER = "3rdparty/python"


@pytest.fixture
def committed(scratch: Scratch) -> Iterator[Scratch]:
    """The copy; all that a test changes in it is taken back."""
    yield scratch
    scratch.git("reset", "--quiet", "--hard")
    scratch.git("clean", "-d", "--force", "--quiet")


def require(scratch: Scratch, resolve: str, *lines: str) -> Path:
    """Write these requirements below those that the resolve has in git; returns its lock."""
    path = f"{FOLDER}/{resolve}-requirements.txt"
    before = scratch.git("show", f"HEAD:{path}")
    (scratch.root / path).write_text("\n".join([before, *lines, ""]))
    return scratch.root / FOLDER / f"{resolve}.lock"


def packages(lock: Path) -> dict[str, Any]:
    """All that a lock holds of each package: version, files, hashes."""
    lines = [line for line in lock.read_text().splitlines() if not line.startswith("//")]
    (resolve,) = json.loads("\n".join(lines))["locked_resolves"]
    return {package["project_name"]: package for package in resolve["locked_requirements"]}


def test_an_import_that_nobody_owns_is_mended_by_the_command_that_it_names(
    committed: Scratch,
) -> None:
    main = committed.root / MAIN
    cow = "import cowsay  # noqa: E402\n\nprint(cowsay.get_output_string('cow', 'hi'))\n"
    main.write_text(f"{main.read_text()}\n{cow}")
    refused = committed.pants("run", JOB, status=2)
    named = re.search(r"`\./pants (sync-lockfiles [^`]+)`", refused.stderr)
    assert named is not None
    assert f"to {FOLDER}/experiments-requirements.txt" in refused.stderr

    lock = require(committed, "experiments", "cowsay>=6,<7")
    text, before = lock.read_bytes(), packages(lock)
    # Whoever forgets the command is told it once more.
    forgotten = committed.pants("run", JOB, status=2).stderr
    assert "experiments.lock: it does not have cowsay" in forgotten
    assert f"`./pants {named.group(1)}`" in forgotten
    told = committed.pants(*named.group(1).split()).stdout
    added = packages(lock)
    assert added.pop("cowsay")["version"].startswith("6.")
    assert added == before
    assert "  added    cowsay 6." in told
    assert [line for line in told.splitlines() if line.startswith("  ")] == told.splitlines()[1:2]
    ran = committed.pants("run", JOB, "--", "--set", "inputs.epochs=1")
    assert "| hi |" in ran.stdout
    # What the machine takes its packages from is nobody else's business.
    hosts = set(re.findall(r'"url": "https:/(/?[^/"]+)', lock.read_text()))
    assert hosts == {"${PACKAGE_FILES}"}

    require(committed, "experiments")
    assert "  removed  cowsay 6." in committed.pants("sync-lockfiles").stdout
    assert lock.read_bytes() == text
    assert committed.pants("sync-lockfiles").stdout.startswith("Nothing to do: ")


def test_only_that_moves_which_has_to(committed: Scratch) -> None:
    # A lock with an older release than its requirements would get today.
    lock = require(committed, "isort", "cowsay==6.0", "platformdirs>=4")
    committed.pants("sync-lockfiles")
    behind = packages(lock)
    assert behind["cowsay"]["version"] == "6.0"

    # The new package wants `platformdirs<4`.
    require(committed, "isort", "cowsay>=5", "platformdirs", "virtualenv==20.21.0")
    told = committed.pants("sync-lockfiles").stdout
    assert told.count("  moved ") == told.count("  moved    platformdirs 4.") == 1
    synced = packages(lock)
    assert {name for name in behind if synced[name] != behind[name]} == {"platformdirs"}
    assert set(synced) - set(behind) == {"virtualenv", "distlib", "filelock"}

    committed.pants("generate-lockfiles", "--resolve=isort")
    assert packages(lock)["cowsay"]["version"] != "6.0"
    # Both write the same format.
    told = committed.pants("sync-lockfiles", "--resolve=isort").stdout
    assert told == f"{FOLDER}/isort.lock: nothing to do, it fits its requirements.\n"


def test_a_limit_that_no_release_keeps_is_told_and_nothing_is_written(committed: Scratch) -> None:
    lock = require(committed, "isort", "cowsay>=99")
    before = lock.read_bytes()
    ran = committed.pants("sync-lockfiles", status=2)
    assert f"{FOLDER}/isort-requirements.txt: no release fits `cowsay>=99`.\n" in ran.stderr
    assert "raceback" not in ran.stderr and "pid " not in ran.stderr
    assert lock.read_bytes() == before


def test_an_interrupt_leaves_the_lock_as_it_was(committed: Scratch) -> None:
    lock = require(committed, "isort", "cowsay")
    before = lock.read_bytes()
    started = committed.start("sync-lockfiles")
    assert started.stdout is not None
    seen = ""
    while "Sync the lockfile of isort" not in seen:
        line = started.stdout.readline()
        assert line, seen
        seen += line
    os.killpg(started.pid, signal.SIGINT)
    wait_for(lambda: started.poll() is not None, "the end of the command")
    assert started.returncode != 0
    assert lock.read_bytes() == before
    assert list(lock.parent.glob(".*")) == []

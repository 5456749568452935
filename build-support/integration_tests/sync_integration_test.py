"""Test that `./pants sync-lockfiles` makes the smallest change, with the real package index."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

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

"""Test that pre-commit stops a commit that fails a check, and no other commit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from documents import commands_run_by
from example import JOB_FILE
from scratch import IDENTITY, Scratch

Commit = Callable[[], subprocess.CompletedProcess[str]]
SHARED = "src/common/figures.py"


@pytest.fixture(scope="module")
def hooks(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commit]:
    """Install hooks in the copy as the page says; return a function that commits all changes."""
    folder = tmp_path_factory.mktemp("hooks")
    # As in a user's own environment.
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    usual = scratch.environment()
    environment = {
        **usual,
        "PATH": f"{folder}/venv/bin:{usual['PATH']}",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=scratch.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def commit() -> subprocess.CompletedProcess[str]:
        scratch.git("add", "--all")
        return run("git", *IDENTITY, "commit", "--quiet", "--message", "A change")

    before = scratch.git("rev-parse", "HEAD").strip()
    for command in commands_run_by("hooks"):
        done = run("bash", "-c", command)
        assert done.returncode == 0, done.stdout
    yield commit
    assert run("pre-commit", "uninstall").returncode == 0
    scratch.restore(before)


@pytest.fixture
def commit(scratch: Scratch, hooks: Commit) -> Iterator[Commit]:
    before = scratch.git("rev-parse", "HEAD").strip()
    yield hooks
    scratch.restore(before)


def head(scratch: Scratch) -> str:
    return scratch.git("rev-parse", "HEAD")


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_a_good_change_is_committed(scratch: Scratch, commit: Commit) -> None:
    before = head(scratch)
    append(scratch.root / SHARED, "\n\n# An edit.\n")
    (scratch.root / "docs/new page.md").write_text("A page.\n")
    done = commit()
    assert done.returncode == 0, done.stdout
    assert head(scratch) != before
    assert done.stdout.count("Passed") == 3
    # A removed file leaves nothing to check.
    scratch.git("rm", "--quiet", "docs/new page.md")
    assert commit().returncode == 0


def test_a_badly_formatted_file_is_formatted_and_not_committed(
    scratch: Scratch, commit: Commit
) -> None:
    before = head(scratch)
    append(scratch.root / SHARED, "x   =  1\n")
    done = commit()
    assert done.returncode != 0
    assert "files were modified by this hook" in done.stdout
    assert head(scratch) == before
    assert (scratch.root / SHARED).read_text().endswith("x = 1\n")
    # The second attempt commits the formatted file.
    assert commit().returncode == 0
    assert head(scratch) != before


ERRORS = {
    SHARED: ("import os\n", "F401"),
    JOB_FILE: ("computer: x\n", "unknown key `computer`"),
    "src/run.sh": ("#!/bin/bash\nrm $1\n", "SC2086"),
    "src/Dockerfile.gpu": ("FROM python\n", "DL3006"),
    ".github/workflows/nightly.yml": (
        "on: push\njobs: {night: {steps: [{run: ./pants test ::}]}}\n",
        "'runs-on' is a required property",
    ),
    "azure-pipelines.yml": (
        "\n  - {job: a, steps: [{script: ls, displayname: x}]}\n",
        "Additional properties are not allowed ('displayname'",
    ),
    "src/a.yml": ("a: 1\na: 2\n", "key-duplicates"),
    "src/loose/a.py": ("", "Would create src/loose/BUILD"),
}
INVALID_BUILD = {"src/common/BUILD": ("files(\n", "was never closed")}


@pytest.mark.parametrize("errors", [ERRORS, INVALID_BUILD], ids=["lint errors", "a BUILD file"])
def test_files_with_errors_are_reported_and_not_committed(
    scratch: Scratch, commit: Commit, errors: dict[str, tuple[str, str]]
) -> None:
    before = head(scratch)
    for path, (more, _) in errors.items():
        (scratch.root / path).parent.mkdir(exist_ok=True)
        append(scratch.root / path, more)
    done = commit()
    assert done.returncode != 0
    missing = [path for path, (_, message) in errors.items() if message not in done.stdout]
    assert not missing, done.stdout
    assert head(scratch) == before

"""pre-commit in a repository: it stops a commit that `./pants` finds fault with, and no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from collections.abc import Callable, Iterator

import pytest
from documents import commands_run_by
from scratch import Scratch

Commit = Callable[[], subprocess.CompletedProcess[str]]
SHARED = "src/common/figures.py"
JOB_FILE = "src/example_experiment/azure-ml-job.yaml"


@pytest.fixture(scope="module")
def hooks(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commit]:
    """Commits all that is changed in the copy, whose hooks are installed as the page says."""
    folder = tmp_path_factory.mktemp("hooks")
    # In place of an environment of the user's own.
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    usual = scratch.environment()
    environment = {
        **usual,
        "PATH": f"{folder}/venv/bin:{usual['PATH']}",
        "PRE_COMMIT_HOME": str(folder / "cache"),
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
        identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
        return run("git", *identity, "commit", "--quiet", "--message", "A change")

    before = scratch.git("rev-parse", "HEAD").strip()
    for command in commands_run_by("hooks"):
        done = run("bash", "-c", command)
        assert done.returncode == 0, done.stdout
    yield commit
    assert run("pre-commit", "uninstall").returncode == 0
    scratch.git("reset", "--quiet", "--hard", before)
    scratch.git("clean", "-d", "--force", "--quiet")


@pytest.fixture
def commit(scratch: Scratch, hooks: Commit) -> Iterator[Commit]:
    before = scratch.git("rev-parse", "HEAD").strip()
    yield hooks
    scratch.git("reset", "--quiet", "--hard", before)
    scratch.git("clean", "-d", "--force", "--quiet")


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
    # Nothing is left to look at when a file goes.
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
    # The same commit again takes what was formatted.
    assert commit().returncode == 0
    assert head(scratch) != before


@pytest.mark.parametrize(
    "path, more, told",
    [
        pytest.param(SHARED, "import os\n", "F401", id="Python"),
        pytest.param(JOB_FILE, "computer: x\n", "unknown key `computer`", id="a job file"),
        pytest.param("src/run.sh", "#!/bin/bash\nrm $1\n", "SC2086", id="a shell script"),
        pytest.param("src/Dockerfile.gpu", "FROM python\n", "DL3006", id="a Dockerfile"),
        pytest.param(
            ".github/workflows/nightly.yml",
            "on: push\njobs: {night: {steps: [{run: ./pants test ::}]}}\n",
            "'runs-on' is a required property",
            id="a workflow",
        ),
        pytest.param(
            "azure-pipelines.yml",
            "\n  - {job: a, steps: [{script: ls, displayname: x}]}\n",
            "Additional properties are not allowed ('displayname'",
            id="a pipeline",
        ),
        pytest.param("src/a.yml", "a: 1\na: 2\n", "key-duplicates", id="YAML"),
        pytest.param("src/loose/a.py", "", "Would create src/loose/BUILD", id="no target"),
        pytest.param("src/common/BUILD", "files(\n", "SyntaxError", id="a BUILD file"),
    ],
)
def test_what_a_linter_finds_is_told_and_not_committed(
    scratch: Scratch, commit: Commit, path: str, more: str, told: str
) -> None:
    before = head(scratch)
    (scratch.root / path).parent.mkdir(exist_ok=True)
    append(scratch.root / path, more)
    done = commit()
    assert done.returncode != 0
    assert told in done.stdout
    assert head(scratch) == before

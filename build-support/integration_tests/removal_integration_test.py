"""Test that a repository without the example passes all checks and can make experiments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from documents import commands_run_by
from example import EXPERIMENT, JOB, write_replacement
from scratch import Scratch


@pytest.fixture(scope="module")
def emptied(scratch: Scratch) -> Iterator[Scratch]:
    """Remove the example as the documentation says, with a commit."""
    before = scratch.git("rev-parse", "HEAD").strip()
    for command in commands_run_by("emptied"):
        # This repository may have removed some already.
        scratch.bash(f"{command} --ignore-unmatch")
    # What other tests left there, which git ignores.
    scratch.git("clean", "--quiet", "--force", "-dx", EXPERIMENT)
    scratch.git("commit", "--quiet", "--message", "Remove the example")
    yield scratch
    scratch.restore(before)


def test_checks_pass(emptied: Scratch) -> None:
    assert not (emptied.root / "src/example_experiment").exists()
    emptied.pants("tailor", "--check", "update-build-files", "--check", "::")
    # Nothing else imports the example.
    emptied.pants("lint", "check", "src::")
    emptied.pants("test", "src::", "build-support/integration_tests/docs_test.py")


def test_a_new_experiment_works(emptied: Scratch) -> None:
    emptied.pants("new-experiment", "--name=first")
    ran = emptied.pants("run", "src/first:job")
    assert "Completed" in ran.stdout
    emptied.pants("test", "src/first::")


def test_whole_run_tests_have_a_replacement(emptied: Scratch) -> None:
    write_replacement(emptied.root)
    emptied.pants("package", JOB)
    bundle = emptied.root / "dist/src.example_experiment/job"
    code = {str(each.relative_to(bundle / "code")) for each in (bundle / "code").rglob("*.py")}
    assert {"example_experiment/main.py", "common/tabular.py", "common/tracking.py"} <= code
    emptied.pants("test", f"{EXPERIMENT}::")

"""A repository without the example: everything still passes, and experiments can be made."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from documents import commands_run_by
from scratch import Scratch


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """A copy from which the example was removed as the documentation says, in a commit."""
    copy = Scratch(tmp_path_factory.mktemp("emptied") / "repository")
    for command in commands_run_by("emptied"):
        # In a repository from which they were removed, some are gone already.
        subprocess.run(["bash", "-c", f"{command} --ignore-unmatch"], cwd=copy.root, check=True)
    copy.git("commit", "--quiet", "--message", "Remove the example")
    yield copy
    copy.stop_daemon()


def test_linters_types_and_targets_are_as_they_should_be(emptied: Scratch) -> None:
    assert not (emptied.root / "src/example_experiment").exists()
    emptied.pants("tailor", "--check", "update-build-files", "--check", "::")
    emptied.pants("lint", "check", "::")


def test_tests_pass_and_whole_runs_find_an_experiment(emptied: Scratch) -> None:
    tests = "build-support/integration_tests"
    emptied.pants("test", "src::", f"{tests}/docs_test.py")
    ran = emptied.pants(
        *("test", "--output=all", f"{tests}/bundle_integration_test.py"),
        *("--", "-k", "exactly_the_closure or copy_in_an_empty_folder"),
    )
    assert "2 passed" in ran.stdout + ran.stderr


def test_a_new_experiment_works(emptied: Scratch) -> None:
    emptied.pants("new-experiment", "--name=first")
    ran = emptied.pants("run", "src/first:job")
    assert "Completed" in ran.stdout
    emptied.pants("test", "src/first::")

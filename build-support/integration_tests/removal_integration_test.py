"""Test that a repository without the example passes all checks and can make experiments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from documents import commands_run_by
from scratch import Scratch


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """Return a copy with a commit that removes the example as the documentation says."""
    copy = Scratch(tmp_path_factory.mktemp("emptied") / "repository")
    for command in commands_run_by("emptied"):
        # This repository may have removed some already.
        copy.bash(f"{command} --ignore-unmatch")
    copy.git("commit", "--quiet", "--message", "Remove the example")
    yield copy
    copy.stop_daemon()


def test_linters_and_type_checks_pass(emptied: Scratch) -> None:
    assert not (emptied.root / "src/example_experiment").exists()
    emptied.pants("tailor", "--check", "update-build-files", "--check", "::")
    emptied.pants("lint", "check", "::")


def test_whole_run_tests_pass_with_a_replacement(emptied: Scratch) -> None:
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

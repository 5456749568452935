"""`--changed-since` with dependents: what an edit concerns, in a real git history."""

from __future__ import annotations

import contextlib
from typing import Iterator

import pytest
from scratch import Scratch

EXPERIMENT = "src/example_experiment"
JOB, LOCAL, IMAGE = f"{EXPERIMENT}:job", f"{EXPERIMENT}:local", f"{EXPERIMENT}:env"
TEST = f"{EXPERIMENT}/tests/test_main.py:../tests"
SHARED_TEST = "src/common/tests/test_figures.py:../tests"
DOCKER = f"{EXPERIMENT}/docker"
PACKAGES = "3rdparty/python"


@contextlib.contextmanager
def committed(scratch: Scratch, path: str, more: str) -> Iterator[None]:
    """A commit that adds `more` at the end of a file."""
    before = scratch.git("rev-parse", "HEAD").strip()
    try:
        with (scratch.root / path).open("a", encoding="utf-8") as stream:
            stream.write(more)
        scratch.git("commit", "--quiet", "--all", "--message", f"Edit {path}")
        yield
    finally:
        scratch.git("reset", "--quiet", "--hard", before)


def concerned(scratch: Scratch, goal: str, *options: str, since: str = "HEAD~1") -> str:
    changed = (f"--changed-since={since}", "--changed-dependents=transitive")
    ran = scratch.pants(*changed, *options, goal)
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "path, more, selected, not_selected",
    [
        pytest.param(
            f"{EXPERIMENT}/azure-ml-job.yaml",
            "# An edit.\n",
            {JOB, LOCAL},
            {TEST, SHARED_TEST},
            id="a job file",
        ),
        pytest.param(
            f"{DOCKER}/Dockerfile", "# An edit.\n", {JOB, IMAGE}, {TEST}, id="a Dockerfile"
        ),
        pytest.param(
            f"{PACKAGES}/experiments.lock",
            "\n",
            {JOB, IMAGE, LOCAL, TEST, SHARED_TEST},
            set(),
            id="a lock",
        ),
        pytest.param(
            f"{PACKAGES}/experiments-requirements.txt",
            "# An edit.\n",
            {JOB, IMAGE, LOCAL, TEST, SHARED_TEST},
            set(),
            id="a list of packages",
        ),
        pytest.param(
            f"{PACKAGES}/platforms/linux_x86_64-cp311.json",
            "\n",
            {JOB, IMAGE},
            {TEST, SHARED_TEST},
            id="the images' Python",
        ),
        pytest.param(
            f"{EXPERIMENT}/sample-data/wine.csv",
            "\n",
            {TEST, LOCAL},
            {SHARED_TEST},
            id="a resource",
        ),
        pytest.param(
            "src/common/figures.py",
            "# An edit.\n",
            {JOB, LOCAL, TEST, SHARED_TEST},
            {"src/common/tests/test_terminal.py:../tests"},
            id="a shared module",
        ),
        pytest.param(
            f"{EXPERIMENT}/local.py", "# An edit.\n", {LOCAL}, {JOB, IMAGE}, id="only the script"
        ),
        pytest.param(
            f"{EXPERIMENT}/BUILD",
            "# An edit.\n",
            {JOB, IMAGE, TEST},
            {SHARED_TEST},
            id="a BUILD file",
        ),
    ],
)
def test_an_edit_concerns(
    scratch: Scratch, path: str, more: str, selected: set[str], not_selected: set[str]
) -> None:
    with committed(scratch, path, more):
        found = set(concerned(scratch, "list").splitlines())
    assert selected <= found
    assert not not_selected & found


def test_goals_take_what_is_concerned(scratch: Scratch) -> None:
    with committed(scratch, "src/common/figures.py", "# An edit.\n"):
        tested = concerned(scratch, "test", "--tag=-integration")
        linted = concerned(scratch, "lint", "--tag=-integration", "--lint-only=flake8")
        bundled = concerned(scratch, "package", "--filter-target-type=azureml_job")
        assert concerned(scratch, "test", since="HEAD") == ""
    assert f"{TEST} succeeded" in tested and f"{SHARED_TEST} succeeded" in tested
    assert "azureml_pants" not in tested
    assert "✓ flake8 succeeded." in linted
    assert "Wrote dist/src.example_experiment/job" in bundled


def test_what_is_not_committed_counts(scratch: Scratch) -> None:
    with scratch.changed({f"{DOCKER}/new.conf": "a\n"}):
        assert {JOB, IMAGE} <= set(concerned(scratch, "list", since="HEAD").splitlines())

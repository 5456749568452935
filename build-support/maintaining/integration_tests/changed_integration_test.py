"""Test what an edit affects, by `--changed-since` with dependents in a real git history."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from example import EXPERIMENT, JOB, JOB_FILE, MAIN
from scratch import Scratch

LOCAL, IMAGE = f"{EXPERIMENT}:local", f"{EXPERIMENT}:env"
TEST = f"{EXPERIMENT}/tests/test_main.py:../tests"
SHARED_TEST = "src/common/tests/test_figures.py:../tests"
DOCKER = f"{EXPERIMENT}/docker"
PACKAGES = "3rdparty/python"
EDIT = "# An edit.\n"


@contextlib.contextmanager
def committed(scratch: Scratch, path: str, more: str) -> Iterator[None]:
    """Commit an addition at the end of a file, until the block ends."""
    before = scratch.git("rev-parse", "HEAD").strip()
    try:
        with (scratch.root / path).open("a", encoding="utf-8") as stream:
            stream.write(more)
        scratch.git("commit", "--quiet", "--all", "--message", f"Edit {path}")
        yield
    finally:
        scratch.restore(before)


def affected(scratch: Scratch, since: str) -> set[str]:
    """Return the targets that differ from a commit, and everything that depends on them."""
    changed = (f"--changed-since={since}", "--changed-dependents=transitive")
    return set(scratch.pants(*changed, "list").stdout.splitlines())


@pytest.mark.parametrize(
    "path, more, selected, not_selected",
    [
        pytest.param(
            JOB_FILE,
            EDIT,
            {JOB, LOCAL},
            {TEST, SHARED_TEST},
            id="a job file",
        ),
        pytest.param(f"{DOCKER}/Dockerfile", EDIT, {JOB, IMAGE}, {TEST}, id="a Dockerfile"),
        pytest.param(
            f"{PACKAGES}/experiments.lock",
            "\n",
            {JOB, IMAGE, LOCAL, TEST, SHARED_TEST},
            set(),
            id="a lock",
        ),
        pytest.param(
            f"{PACKAGES}/experiments-requirements.txt",
            EDIT,
            {JOB, IMAGE, LOCAL, TEST, SHARED_TEST},
            set(),
            id="a list of requirements",
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
            EDIT,
            {JOB, LOCAL, TEST, SHARED_TEST},
            {"src/common/tests/test_terminal.py:../tests"},
            id="a shared module",
        ),
        pytest.param(f"{EXPERIMENT}/local.py", EDIT, {LOCAL}, {JOB, IMAGE}, id="only the script"),
        pytest.param(
            f"{EXPERIMENT}/BUILD",
            EDIT,
            {JOB, IMAGE, TEST},
            {SHARED_TEST},
            id="a BUILD file",
        ),
    ],
)
def test_an_edit_selects_what_depends_on_it(
    scratch: Scratch, path: str, more: str, selected: set[str], not_selected: set[str]
) -> None:
    with committed(scratch, path, more):
        found = affected(scratch, "HEAD~1")
    assert selected <= found
    assert not not_selected & found


@pytest.mark.parametrize("is_renamed", [False, True], ids=["removed", "renamed"])
def test_lint_finds_imports_of_a_removed_file(scratch: Scratch, is_renamed: bool) -> None:
    gone = f"{EXPERIMENT}/model.py"
    text = (scratch.root / gone).read_text()
    with scratch.changed({gone: None, **({f"{EXPERIMENT}/net.py": text} if is_renamed else {})}):
        changed = ("--changed-since=HEAD", "--changed-dependents=transitive")
        report = scratch.pants(*changed, "--lint-only=unowned-imports", "lint", status=1).stderr
    assert f"{MAIN}:" in report and "example_experiment" in report


def test_uncommitted_changes_count(scratch: Scratch) -> None:
    with scratch.changed({f"{DOCKER}/new.conf": "a\n"}):
        assert {JOB, IMAGE} <= affected(scratch, "HEAD")

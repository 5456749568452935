"""`--changed-since` with dependents: what an edit concerns, in a real git history."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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


JOB_BUNDLE = "Wrote dist/src.example_experiment/job"


@pytest.mark.parametrize(
    "path, more, tested, not_tested, linter, is_bundled",
    [
        pytest.param(
            "src/common/figures.py",
            "# An edit.\n",
            {TEST, SHARED_TEST},
            {"azureml_pants"},
            "flake8",
            True,
            id="a shared module",
        ),
        pytest.param(
            f"{EXPERIMENT}/azure-ml-job.yaml",
            "# An edit.\n",
            set(),
            {TEST, SHARED_TEST},
            "azureml-jobs",
            True,
            id="a job file",
        ),
        pytest.param(
            f"{DOCKER}/Dockerfile",
            "# An edit.\n",
            set(),
            {TEST, SHARED_TEST},
            None,
            True,
            id="a Dockerfile",
        ),
        pytest.param(
            f"{EXPERIMENT}/sample-data/wine.csv",
            "\n",
            {TEST},
            {SHARED_TEST},
            None,
            False,
            id="a resource",
        ),
    ],
)
def test_goals_take_what_is_concerned(
    scratch: Scratch,
    path: str,
    more: str,
    tested: set[str],
    not_tested: set[str],
    linter: str | None,
    is_bundled: bool,
) -> None:
    with committed(scratch, path, more):
        tests = concerned(scratch, "test", "--tag=-integration")
        bundles = concerned(scratch, "package", "--filter-target-type=azureml_job")
        only = ("--tag=-integration", f"--lint-only={linter}")
        linted = concerned(scratch, "lint", *only) if linter else ""
        assert concerned(scratch, "test", since="HEAD") == ""
    assert all(f"{each} succeeded" in tests for each in tested)
    assert not [each for each in not_tested if each in tests]
    assert (JOB_BUNDLE in bundles) == is_bundled
    assert not linter or f"✓ {linter} succeeded." in linted


def test_a_new_lock_is_linted_tested_and_bundled_with(scratch: Scratch) -> None:
    # What the goals take is what `list` prints; these would build all environments anew.
    with committed(scratch, f"{PACKAGES}/experiments.lock", "\n"):
        for kind, each in (("python_test", TEST), ("azureml_job", JOB), ("docker_image", IMAGE)):
            assert each in concerned(scratch, "list", f"--filter-target-type={kind}")


@pytest.mark.parametrize("is_renamed", [False, True], ids=["removed", "renamed"])
def test_an_import_of_a_file_that_is_gone_is_found_by_lint(
    scratch: Scratch, is_renamed: bool
) -> None:
    gone = f"{EXPERIMENT}/model.py"
    text = (scratch.root / gone).read_text()
    with scratch.changed({gone: None, **({f"{EXPERIMENT}/net.py": text} if is_renamed else {})}):
        changed = ("--changed-since=HEAD", "--changed-dependents=transitive")
        told = scratch.pants(*changed, "--lint-only=unowned-imports", "lint", status=1).stderr
    assert f"{EXPERIMENT}/main.py:" in told and "example_experiment" in told


def test_what_is_not_committed_counts(scratch: Scratch) -> None:
    with scratch.changed({f"{DOCKER}/new.conf": "a\n"}):
        assert {JOB, IMAGE} <= set(concerned(scratch, "list", since="HEAD").splitlines())

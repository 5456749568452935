"""Test what an edit affects, by `--changed-since` with dependents in a real git history.

`docs_integration_test.py` runs it for commits, too.
"""

from __future__ import annotations

import pytest
from example import EXPERIMENT, JOB, JOB_FILE, MAIN
from scratch import Scratch

LOCAL, IMAGE = f"{EXPERIMENT}:local", f"{EXPERIMENT}:env"
TEST = f"{EXPERIMENT}/tests/test_main.py:../tests"
SHARED_TEST = "src/common/tests/test_figures.py:../tests"
DOCKER = f"{EXPERIMENT}/docker"
PACKAGES = "3rdparty/python"
CHANGED = ("--changed-since=HEAD", "--changed-dependents=transitive")
# By file: some targets that an edit selects, and some that it does not.
EDITS = {
    JOB_FILE: ({JOB, LOCAL}, {TEST, SHARED_TEST}),
    f"{DOCKER}/Dockerfile": ({JOB, IMAGE}, {TEST}),
    f"{DOCKER}/new.conf": ({JOB, IMAGE}, {TEST}),
    f"{PACKAGES}/experiments.lock": ({JOB, IMAGE, LOCAL, TEST, SHARED_TEST}, set()),
    f"{PACKAGES}/experiments-requirements.txt": ({JOB, IMAGE, LOCAL, TEST, SHARED_TEST}, set()),
    f"{PACKAGES}/platforms/linux_x86_64-cp311.json": ({JOB, IMAGE}, {TEST, SHARED_TEST}),
    f"{EXPERIMENT}/sample-data/wine.csv": ({TEST, LOCAL}, {SHARED_TEST}),
    "src/common/figures.py": (
        {JOB, LOCAL, TEST, SHARED_TEST},
        {"src/common/tests/test_terminal.py:../tests"},
    ),
    f"{EXPERIMENT}/local.py": ({LOCAL}, {JOB, IMAGE}),
    f"{EXPERIMENT}/BUILD": ({JOB, IMAGE, TEST}, {SHARED_TEST}),
}


@pytest.mark.parametrize("path", EDITS)
def test_an_edit_selects_what_depends_on_it(scratch: Scratch, path: str) -> None:
    selected, not_selected = EDITS[path]
    file = scratch.root / path
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    with scratch.changed({path: f"{text}\n"}):
        found = set(scratch.pants(*CHANGED, "list").stdout.splitlines())
    assert selected <= found
    assert not not_selected & found


@pytest.mark.parametrize("is_renamed", [False, True], ids=["removed", "renamed"])
def test_lint_finds_imports_of_a_removed_file(scratch: Scratch, is_renamed: bool) -> None:
    gone = f"{EXPERIMENT}/model.py"
    text = (scratch.root / gone).read_text()
    with scratch.changed({gone: None, **({f"{EXPERIMENT}/net.py": text} if is_renamed else {})}):
        lint = ("--lint-only=unowned-imports", "lint")
        report = scratch.pants(*CHANGED, *lint, status=1).stderr
    assert f"{MAIN}:" in report and "example_experiment" in report

"""Test that links lead somewhere, and that a test runs each command or the page says why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.base.version import TOOLS_VERSION
from documents import (
    NOT_RUN,
    RUN_BY,
    anchors,
    blocks,
    broken_links,
    commands_in_text,
    commands_run_by,
    first_not_printed,
    links,
    pages,
)
from scratch import repository_root

ROOT = repository_root()
# All commands that no test runs, and why.
NOT_RUN_HERE = {
    '$ ./pants --docker-run-args="--gpus all" run src/example_experiment:job -- --runtime docker': (
        "it needs a GPU"
    ),
    '$ CA_CERTIFICATE="$(cat ca.pem)" ./pants package src/example_experiment:env '
    "--docker-build-args=CA_CERTIFICATE": "it needs a proxy with its own certificates",
    "$ ./pants run :aml -- endpoints create wine --model azureml:wine:1": (
        "it needs a model that MLflow wrote"
    ),
    "$ docker buildx imagetools inspect python:3.11-slim-bookworm "
    "--format '{{.Name}}@{{.Manifest.Digest}}'": "it needs an image registry",
    "$ ./pants test ::": "it runs the test that runs this page; .ci/run does so",
    "$ ./pants test build-support/maintaining/integration_tests:": (
        "it runs the test that runs this page; .ci/run does so"
    ),
    # `test_only_necessary_packages_move` runs it for another lock.
    "$ ./pants generate-lockfiles --resolve=experiments": (
        "it asks the package index, and a new release would change the lock"
    ),
}
PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages(ROOT)]


def test_all_pages_are_checked() -> None:
    found = {str(page.relative_to(ROOT)) for page in pages(ROOT)}
    assert {"README.md", "docs/concepts.md"} <= found
    assert any(name.startswith("build-support/maintaining/decisions/") for name in found)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, ROOT) == []


def test_pages_of_a_project_link_nothing_of_the_maintainers() -> None:
    # copier leaves that folder out, and writes another README.md.
    found = {str(page.relative_to(ROOT)): links(page.read_text("utf-8")) for page in pages(ROOT)}
    assert {
        page: link
        for page, linked in found.items()
        for link in linked
        if page != "README.md" and "maintaining/" not in page and "maintaining/" in link
    } == {}


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_in_console_blocks_after_a_dollar(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"line {block.line}"
        assert block.language, where
        assert block.language not in ("bash", "sh", "shell", "zsh"), where
        assert bool(block.commands) == (block.language == "console"), where


@pytest.mark.parametrize("page", PAGES)
def test_a_marker_is_on_the_line_before_its_block(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    marked = [block for block in blocks(text) if block.marker]
    assert all(block.language == "console" for block in marked)
    assert sum(text.count(f"<!-- {start}") for start in ("needs", RUN_BY, NOT_RUN)) == len(marked)


def test_commands_that_no_test_runs_are_listed_above_with_their_reason() -> None:
    found = {
        f"$ {command}": (block.marker or "").partition(NOT_RUN)[2]
        for page in pages(ROOT)
        for block in blocks(page.read_text(encoding="utf-8"))
        if (block.marker or "").startswith(NOT_RUN)
        for command in block.commands
    }
    assert found == NOT_RUN_HERE
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert [line.split()[1] for line in script.splitlines() if " test " in line][:2] == [
        "--tag=integration",
        "--tag=-integration",
    ]


def functions_that_run_commands() -> Iterator[str]:
    """Yield the names of tests and fixtures that run the blocks marked with their name."""
    for path in Path(__file__).parent.glob("*_integration_test.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                taken = f"commands_run_by({node.name!r})"
                if any(
                    isinstance(each, ast.Call) and ast.unparse(each) == taken
                    for each in ast.walk(node)
                ):
                    yield node.name


def test_blocks_name_the_tests_that_run_them() -> None:
    named = {
        block.marker.partition(RUN_BY)[2]
        for page in pages(ROOT)
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.marker and block.marker.startswith(RUN_BY)
    }
    assert named == set(functions_that_run_commands())
    assert all(commands_run_by(name) for name in named)


def test_the_readme_links_every_page_of_docs() -> None:
    linked = links((ROOT / "README.md").read_text(encoding="utf-8"))
    written = [str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(set(written) - set(linked)) == []


def test_the_changes_begin_with_the_version_of_the_tools() -> None:
    text = (ROOT / "build-support/CHANGELOG.md").read_text(encoding="utf-8")
    versions = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert versions[0] == TOOLS_VERSION


def test_the_readme_is_short_and_begins_with_a_command() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert any(line.startswith("$ ") for line in lines[:25])


def test_blocks_have_their_commands_and_markers() -> None:
    text = (
        "```console\n$ one\nits output\n$ two \\\n  three\n```\n"
        "<!-- needs Azure -->\n```console\n$ four\n```\n"
        "1. In a list:\n\n   <!-- not run: slow -->\n   ```console\n   $ five\n   ```\n"
        "<!-- needs Docker -->\n```console\n$ six\n```\n"
        "<!-- run by test_it -->\n```console\n$ seven\n```\n"
        "```python\neight\n```\n"
    )
    found = [(block.commands, block.marker) for block in blocks(text)]
    assert found == [
        (("one", "two three"), None),
        (("four",), "needs Azure"),
        (("five",), "not run: slow"),
        (("six",), "needs Docker"),
        (("seven",), "run by test_it"),
        ((), None),
    ]


@pytest.mark.parametrize(
    "shown, missing",
    [
        ([], ""),
        (["example-232499f3-1 Completed in 3.9 s.", "..."], ""),
        (["accuracy 0.981 on …: .../model.json"], ""),
        (["Runtime: venv", "accuracy ..."], ""),
        (["Runtime:  venv"], ""),
        (["Runtime: docker"], "Runtime: docker"),
        (["Runtime"], "Runtime"),
        (["accuracy ...", "Runtime: venv"], "Runtime: venv"),
    ],
)
def test_finds_the_first_line_that_is_not_printed(shown: list[str], missing: str) -> None:
    printed = (
        "Runtime: venv\naccuracy 0.9 on 1,054 rows: /tmp/a/model.json\n"
        "example-0badc0de-17 Completed in 12.25 s.\n"
    )
    assert first_not_printed(shown, printed) == missing


def test_finds_commands_in_running_text() -> None:
    text = (
        "Try `./pants run a:b -- --x` or ``./pants list``, not `./pantsy`.\n"
        "```console\n$ `./pants no`\n```\n"
    )
    assert commands_in_text(text) == ["./pants run a:b -- --x", "./pants list"]


@pytest.mark.parametrize(
    "link, is_broken",
    [
        ("other.md", False),
        ("other.md#a-heading-with-code", False),
        ("#here", False),
        ("https://example.org/x", False),
        ("gone.md", True),
        ("other.md#gone", True),
        ("../../outside.md", True),
    ],
)
def test_finds_broken_links(tmp_path: Path, link: str, is_broken: bool) -> None:
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (tmp_path / "outside.md").write_text("")
    (root / "docs/other.md").write_text("# A heading, with `code`\n")
    page = root / "docs/page.md"
    page.write_text(f"## Here\n\nA [link]({link}), and `[no](link.md)`.\n")
    assert broken_links(page, root) == ([link] if is_broken else [])


def test_a_comment_in_code_is_not_a_heading() -> None:
    assert anchors("# One\n\n```python\n# two\n```\n") == {"one"}

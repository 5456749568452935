"""Pages lead where they say, and each block of commands is run by a test or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import anchors, blocks, broken_links, links, pages
from scratch import repository_root

ROOT = repository_root()
PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages(ROOT)]


def test_all_pages_are_looked_at() -> None:
    found = {str(page.relative_to(ROOT)) for page in pages(ROOT)}
    assert {"README.md", "docs/concepts.md"} <= found
    assert any(name.startswith("build-support/decisions/") for name in found)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, ROOT) == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_console_blocks_and_follow_a_dollar(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"line {block.line}"
        assert block.language, where
        assert block.language not in ("bash", "sh", "shell", "zsh"), where
        assert bool(block.commands) == (block.language == "console"), where


@pytest.mark.parametrize("page", PAGES)
def test_a_reason_not_to_run_stands_directly_before_its_block(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    marked = [block for block in blocks(text) if block.marker]
    assert all(block.language == "console" for block in marked)
    assert text.count("<!-- needs Azure") + text.count("<!-- not run") == len(marked)


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = links((ROOT / "README.md").read_text(encoding="utf-8"))
    written = [str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(set(written) - set(linked)) == []


def test_the_readme_is_short_and_begins_with_a_command() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert any(line.startswith("$ ") for line in lines[:25])


def test_only_console_blocks_without_a_reason_are_to_be_run() -> None:
    text = (
        "```console\n$ one\nits output\n$ two \\\n  three\n```\n"
        "<!-- needs Azure -->\n```console\n$ four\n```\n"
        "1. In a list:\n\n   <!-- not run: slow -->\n   ```console\n   $ five\n   ```\n"
        "```python\nsix\n```\n"
    )
    found = [(block.commands, block.marker) for block in blocks(text)]
    assert found == [
        (("one", "two three"), None),
        (("four",), "needs Azure"),
        (("five",), "not run: slow"),
        ((), None),
    ]


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
def test_a_broken_link_is_found(tmp_path: Path, link: str, is_broken: bool) -> None:
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (tmp_path / "outside.md").write_text("")
    (root / "docs/other.md").write_text("# A heading, with `code`\n")
    page = root / "docs/page.md"
    page.write_text(f"## Here\n\nA [link]({link}), and `[no](link.md)`.\n")
    assert broken_links(page, root) == ([link] if is_broken else [])


def test_a_comment_in_code_is_no_heading() -> None:
    assert anchors("# One\n\n```python\n# two\n```\n") == {"one"}

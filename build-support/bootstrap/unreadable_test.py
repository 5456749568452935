"""What Pants fails on without saying where is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

from unreadable import unreadable


def test_names_broken_build_files_and_absolute_links(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for folder in ("a", "b", "ignored"):
        (tmp_path / folder).mkdir()
    (tmp_path / ".gitignore").write_text("/ignored/\n")
    (tmp_path / "a/BUILD").write_text("python_sources()\nfiles(\n")
    (tmp_path / "b/BUILD").write_text("python_sources()\n")
    (tmp_path / "b/near").symlink_to("BUILD")
    for link in ("b/x é.txt", "ignored/x"):
        (tmp_path / link).symlink_to("/etc/passwd")
    assert [line.partition(". ")[0] for line in unreadable(tmp_path)] == [
        "a/BUILD:2: '(' was never closed",
        "b/x é.txt: an absolute symbolic link, which Pants cannot read",
    ]

"""A repository of git, for the tests of this room."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

AS_IN_AN_EMPTY_HOME = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in AS_IN_AN_EMPTY_HOME.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given, stdout=subprocess.PIPE, check=True
    )
    return done.stdout


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


BEGINNING = {"src/a.py": b"a = 1\n" * 30, "src/b.py": b"b = 1\n", "src/gone.py": b"", "c.md": b"c"}


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    folder = tmp_path / "a répo: of mine"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    write(folder, BEGINNING)
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "x")
    return head(folder)


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").decode().strip()

"""Run git: nothing of the user is changed, and their settings do not change the answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


class NoRepository(Exception):
    """There is no git, or no repository."""


class GitRefusal(Exception):
    """Git is there and fails; the text is its own sentence."""


# The user's settings must not change a diff, nor make git write outside of a scratch folder.
_SETTINGS = (
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.compression=-1",
    # Objects for a diff live in a scratch folder, for a moment.
    "core.looseCompression=0",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "core.safecrlf=false",
    "core.splitIndex=false",
    "diff.relative=false",
    "diff.suppressBlankEmpty=false",
)
# Git sets these in its hooks, where they name other folders than the ones that are needed here.
_NOT_INHERITED = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)


def run_git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> bytes:
    """Return what a git command prints in `folder`; `given` is its input.

    Raises `NoRepository`, and `GitRefusal` when it fails.
    """
    git = shutil.which("git")
    if git is None:
        raise NoRepository
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    inherited = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    done = subprocess.run(
        [git, *settings, *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        env={**inherited, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(environment or {})},
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        if "not a git repository (or any" in said:
            raise NoRepository
        first = said.partition("\n")[0].removeprefix("fatal: ")
        raise GitRefusal(first or f"`git {arguments[0]}` ended with status {done.returncode}")
    return done.stdout


def git_text(folder: Path, *arguments: str) -> str:
    """Return what a git command prints, without the end of its line; empty when it fails."""
    try:
        return os.fsdecode(run_git(folder, *arguments)).removesuffix("\n")
    except (NoRepository, GitRefusal):
        return ""


def split_paths(printed: bytes) -> list[str]:
    """Return the paths of a list that git ends with NUL bytes."""
    return [os.fsdecode(path) for path in printed.split(b"\0") if path]


def remote_address(folder: Path) -> str | None:
    """Return the address of the repository's remote without credentials, None without one."""
    from urllib.parse import urlsplit, urlunsplit

    address = git_text(folder, "ls-remote", "--get-url")
    # Without a remote, git prints the name that one would have.
    if address in ("", "origin"):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    # `git@host:path` has a user and no secret.
    if not parts.scheme:
        return address
    who, at, host = parts.netloc.rpartition("@")
    # The user of `ssh://` has no password there; that of `https://` may be a token.
    user = f"{who.partition(':')[0]}{at}" if "ssh" in parts.scheme else ""
    return urlunsplit(parts._replace(netloc=f"{user}{host}", query="", fragment=""))

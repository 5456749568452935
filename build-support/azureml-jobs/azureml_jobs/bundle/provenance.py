"""Read the state of a snapshot's files from git, and change nothing in the repository."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.jobfile.paths import leads_out


@dataclass(frozen=True)
class GitState:
    """`commit` is None before the first commit; `diff` turns the commit's files into these."""

    commit: str | None
    diff: str


def git_state(repository: Path, paths: Sequence[str]) -> GitState | None:
    """Return the state of `paths`, relative to `repository`, against the current commit.

    The diff has staged, unstaged and untracked changes, ignored files included, in git's binary
    format, with paths from the top of git's work tree, for `git apply` there. It includes links on
    the way and what they lead to, and files of submodules, against the submodule's own commit.
    Return None without git, outside of a git repository, and when git fails.
    """
    git = shutil.which("git")
    if git is None:
        return None
    return _state(git, repository, sorted(_with_links(repository, paths)), "")


def uncommitted(repository: Path) -> list[str] | None:
    """Return the paths that differ from the commit, untracked ones included, ignored ones not.

    Return None without git, outside of a git repository, and when git fails.
    """
    git = shutil.which("git")
    status = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"]
    listed = None if git is None else _git(git, repository, status)
    return None if listed is None else [entry[3:] for entry in listed.split("\0") if entry]


def _state(git: str, folder: Path, paths: Sequence[str], prefix: str) -> GitState | None:
    """Return the state of one work tree, which is the folder `prefix` in the diff (or empty)."""
    layout = _git(
        git, folder, ["rev-parse", "--show-toplevel", "--show-prefix", "--git-path", "objects"]
    )
    if layout is None:
        return None
    _, subfolder, objects, _ = layout.split("\n")
    commit = (_git(git, folder, ["rev-parse", "--verify", "--quiet", "HEAD"]) or "").strip() or None
    own, nested = _by_work_tree(folder, paths)
    inner_diffs = []
    for inner, inner_paths in nested.items():
        state = _state(git, folder / inner, inner_paths, f"{prefix}{subfolder}{inner}/")
        if state is None:
            return None
        if state.commit:
            own.append(inner)
        inner_diffs.append(state.diff)
    diff = _diff(git, folder, folder / objects, commit, own, prefix)
    return None if diff is None else GitState(commit, "".join([diff, *inner_diffs]))


def _diff(
    git: str,
    folder: Path,
    objects: Path,
    commit: str | None,
    paths: Sequence[str],
    prefix: str,
) -> str | None:
    """Return the diff from `commit` to `paths`.

    It is made with its own index and object store, so that the user's stay as they are.
    """
    with tempfile.TemporaryDirectory(prefix="azureml-jobs-git-") as scratch:
        alternates = Path(scratch, "objects", "info", "alternates")
        alternates.parent.mkdir(parents=True)
        # A file and not the environment variable, in which a colon would end the path.
        alternates.write_bytes(os.fsencode(objects.absolute()) + b"\n")
        environment = {
            "GIT_INDEX_FILE": os.path.join(scratch, "index"),
            "GIT_OBJECT_DIRECTORY": os.path.join(scratch, "objects"),
        }
        base = [commit] if commit else []
        if commit and _git(git, folder, ["read-tree", commit], environment) is None:
            return None
        if paths:
            # By standard input: the paths of many files are too long for a command line.
            listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
            update = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"]
            if _git(git, folder, update, environment, listed) is None:
                return None
        prefixes = [f"--src-prefix=a/{prefix}", f"--dst-prefix=b/{prefix}"]
        return _git(git, folder, ["diff", *_PLAIN_DIFF, *prefixes, *base], environment)


# The user's settings must not change the diff, nor make git write outside of the scratch folder.
_PLAIN_DIFF = (
    *("--cached", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--no-renames", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=default"),
    *("--indent-heuristic", "--ignore-submodules=none", "--submodule=short", "-O/dev/null"),
)
_SETTINGS = (
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.compression=-1",
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


def _git(
    git: str,
    folder: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> str | None:
    """Return the standard output of a git command, None when it fails."""
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    inherited = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    result = subprocess.run(
        [git, *settings, *arguments],
        cwd=folder,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**inherited, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(environment or {})},
        check=False,
    )
    if result.returncode != 0:
        return None
    # Bytes that are not UTF-8 survive in the manifest's JSON, and are read back unchanged.
    return result.stdout.decode("utf-8", "surrogateescape")


def _with_links(repository: Path, paths: Iterable[str]) -> set[str]:
    """Return `paths` as git has them: a path through a link as the link and its target."""
    found: set[str] = set()
    plain_folders = {""}

    def first_link(path: str) -> str | None:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            head = "/".join(parts[:end])
            if head in plain_folders:
                continue
            if os.path.islink(repository / head):
                return head
            if end < len(parts):
                plain_folders.add(head)
        return None

    for path in paths:
        # Linux follows as many.
        for _ in range(40):
            if leads_out(path):
                break
            link = first_link(path)
            found.add(link or path)
            if link is None:
                break
            target = os.path.join(
                repository, posixpath.dirname(link), os.readlink(repository / link)
            )
            path = os.path.relpath(target + path[len(link) :], repository)
    return found


def _by_work_tree(folder: Path, paths: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the paths of this work tree, and those of work trees inside of it by their folder."""
    own: list[str] = []
    nested: dict[str, list[str]] = {}
    is_top = {"": False}
    for path in paths:
        parts = path.split("/")
        for end in range(1, len(parts)):
            head = "/".join(parts[:end])
            if head not in is_top:
                is_top[head] = os.path.lexists(folder / head / ".git")
            if is_top[head]:
                nested.setdefault(head, []).append(path[len(head) + 1 :])
                break
        else:
            own.append(path)
    return own, nested

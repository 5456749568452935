"""Read what git knows of files, and change nothing in the repository."""

from __future__ import annotations

import functools
import os
import posixpath
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.bundle.git_command import (
    GitRefusal,
    NoRepository,
    git_text,
    run_git,
    split_paths,
)
from azureml_jobs.bundle.suspicions import Allowed
from azureml_jobs.jobfile.paths import leads_out

# Its version says what it is, except where somebody has changed it.
TOOLS_FOLDER = "build-support"
# Larger files are no code.
_TEXT_BYTES = 1_000_000


@dataclass(frozen=True)
class GitState:
    """`commit` is None before the first commit; `diff` turns the commit's files into these.

    `tools_changed` says that the scaffolding's own tools differ from the commit. `problem` is git's
    sentence when it refuses; nothing else is known then. `allowed` is what the guard let pass in
    the diff.
    """

    commit: str | None
    diff: bytes = b""
    tools_changed: bool = False
    problem: str = ""
    allowed: tuple[Allowed, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """What the user should know of a state that git does not report."""
        if not self.problem:
            return []
        unknown = "the commit and the changes of this code are not recorded"
        return [f"git refuses, and {unknown}: {self.problem}. {git_remedy(self.problem)}"]


def git_remedy(problem: str) -> str:
    """Return what to do about a sentence of git's."""
    if "dubious ownership" in problem:
        folder = problem.rpartition("repository at ")[2]
        return f"If you trust its owner: git config --global --add safe.directory {folder}"
    return "Look at what `git status` prints."


def git_state(
    repository: Path, paths: Sequence[str], removable: Sequence[str] = ()
) -> GitState | None:
    """Return the state of `paths`, relative to `repository`, against the current commit.

    The diff has staged, unstaged and untracked changes, ignored files included, in git's binary
    format, with paths from the top of git's work tree, for `git apply` there. It includes links on
    the way and what they lead to, and files of submodules, against the submodule's own commit; and
    files of the commit that are gone, as far as the pathspecs `removable` match them. Returns None
    without git and outside of a git repository.
    """
    try:
        commit = _head(repository)
        gone = _removed(repository, commit, removable) if commit and removable else []
        listed = sorted(_with_links(repository, [*paths, *gone]))
        diff = _diff_of_all(repository, commit, listed, "")
        tools_changed = run_git(repository, "status", "--porcelain", "--", TOOLS_FOLDER)
        return GitState(commit, diff, bool(tools_changed))
    except NoRepository:
        return None
    except GitRefusal as refusal:
        return GitState(None, problem=str(refusal))


def uncommitted(repository: Path) -> list[str]:
    """Return the paths that differ from the commit, untracked ones included, ignored ones not.

    Raises `NoRepository` and `GitRefusal`.
    """
    status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    return [entry[3:] for entry in split_paths(run_git(repository, *status))]


def _removed(repository: Path, commit: str, pathspecs: Sequence[str]) -> list[str]:
    """Return the files of the commit that are no longer there, or no longer in the index."""
    listed = run_git(
        repository,
        *("diff", "--name-only", "-z", "--no-renames", "--diff-filter=D", "--relative", commit),
        *("--", *pathspecs, f":(exclude){TOOLS_FOLDER}"),
    )
    return split_paths(listed)


def _head(folder: Path) -> str | None:
    return git_text(folder, "rev-parse", "--verify", "--quiet", "HEAD") or None


def _diff_of_all(folder: Path, commit: str | None, paths: Sequence[str], prefix: str) -> bytes:
    """Return the diff of a work tree, the folder `prefix` in it, and of the work trees inside."""
    asked = ("rev-parse", "--show-toplevel", "--show-prefix", "--git-path", "objects")
    _, subfolder, objects, _ = os.fsdecode(run_git(folder, *asked)).split("\n")
    own, nested = _by_work_tree(folder, paths)
    inner_diffs = []
    for inner, inner_paths in nested.items():
        head, place = _head(folder / inner), f"{prefix}{subfolder}{inner}/"
        if head:
            own.append(inner)
        inner_diffs.append(_diff_of_all(folder / inner, head, inner_paths, place))
    # Its own index and object store, so that the user's stay as they are.
    with tempfile.TemporaryDirectory(prefix="azureml-jobs-git-") as scratch:
        alternates = Path(scratch, "objects", "info", "alternates")
        alternates.parent.mkdir(parents=True)
        # A file and not the environment variable, in which a colon would end the path.
        alternates.write_bytes(os.fsencode((folder / objects).absolute()) + b"\n")
        environment = {
            "GIT_INDEX_FILE": os.path.join(scratch, "index"),
            "GIT_OBJECT_DIRECTORY": os.path.join(scratch, "objects"),
        }
        diff = _diff(folder, subfolder, commit, own, prefix, environment)
    return b"".join([diff, *inner_diffs])


def _diff(
    folder: Path,
    subfolder: str,
    commit: str | None,
    paths: Sequence[str],
    prefix: str,
    environment: Mapping[str, str],
) -> bytes:
    """Return the diff from `commit` to `paths`, with an index that is new."""
    if commit:
        run_git(folder, "read-tree", commit, environment=environment)
    if paths:
        # By standard input: the paths of many files are too long for a command line.
        listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        update = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
        run_git(folder, *update, environment=environment, given=listed)
    if exact := [path for path in paths if _has_carriage_returns(folder / path)]:
        _add_exactly(folder, subfolder, exact, environment)
    prefixes = (f"--src-prefix=a/{prefix}", f"--dst-prefix=b/{prefix}")
    base = [commit] if commit else []
    return run_git(folder, "diff", *_PLAIN_DIFF, *prefixes, *base, environment=environment)


def _has_carriage_returns(file: Path) -> bool:
    if file.is_symlink() or not file.is_file() or "\n" in str(file.absolute()):
        return False
    return file.stat().st_size <= _TEXT_BYTES and b"\r\n" in file.read_bytes()


def _add_exactly(
    folder: Path, subfolder: str, paths: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Replace files in the index, where git has other ends of lines for `* text=auto`."""
    # Relative ones would be relative to the top of the work tree.
    listed = b"".join(os.fsencode((folder / path).absolute()) + b"\n" for path in paths)
    write = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    names = run_git(folder, *write, environment=environment, given=listed).split()
    entries = b""
    for path, name in zip(paths, names):
        mode = b"100755" if os.access(folder / path, os.X_OK) else b"100644"
        entries += mode + b" " + name + b"\t" + os.fsencode(subfolder + path) + b"\0"
    update = ("update-index", "-z", "--index-info")
    run_git(folder, *update, environment=environment, given=entries)


_PLAIN_DIFF = (
    *("--cached", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--no-renames", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=default"),
    *("--indent-heuristic", "--ignore-submodules=none", "--submodule=short", "-O/dev/null"),
)


def _with_links(repository: Path, paths: Iterable[str]) -> set[str]:
    """Return `paths` as git has them: a path through a link as the link and its target."""
    found: set[str] = set()

    @functools.cache
    def is_link(path: str) -> bool:
        return os.path.islink(repository / path)

    for path in paths:
        # Linux follows as many.
        for _ in range(40):
            if leads_out(path):
                break
            link = next(filter(is_link, (*_folders(path), path)), None)
            found.add(link or path)
            if link is None:
                break
            folder, target = posixpath.dirname(link), os.readlink(repository / link)
            path = os.path.relpath(
                os.path.join(repository, folder, target) + path[len(link) :], repository
            )
    return found


def _by_work_tree(folder: Path, paths: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the paths of this work tree, and those of work trees inside of it by their folder."""
    own: list[str] = []
    nested: dict[str, list[str]] = {}

    @functools.cache
    def is_top(path: str) -> bool:
        return os.path.lexists(folder / path / ".git")

    for path in paths:
        top = next(filter(is_top, _folders(path)), None)
        if top is None:
            own.append(path)
        else:
            nested.setdefault(top, []).append(path[len(top) + 1 :])
    return own, nested


def _folders(path: str) -> list[str]:
    """Return the folders that lead to a path, from the top."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]

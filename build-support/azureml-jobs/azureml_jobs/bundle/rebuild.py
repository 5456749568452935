"""Rebuild the files of a record in a clone: the commit, and what had changed since."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.data import data_digest, data_files
from azureml_jobs.bundle.git_command import GitRefusal, NoRepository, git_text, run_git
from azureml_jobs.bundle.names import CODE_FOLDER, DIFF_FILE

_CONFIGURATION = ("config.env", "config.*.env")


def rebuild(manifest: Mapping[str, Any], record: Path, repository: Path, clone: Path) -> Path:
    """Return the repository's root in the new folder `clone`, with the files of a record.

    The clone shares objects with the user's repository, whose index, branches and remotes stay as
    they are. Raises `JobError` when the record names no commit, `OutsideError` when git cannot get
    it or refuses.
    """
    git, where = manifest["git"] or {}, manifest["address"]
    remote = (manifest["made"] or {}).get("remote")
    if not git.get("commit"):
        reason = git.get("problem") or "git had no commit when the job was made"
        raise JobError(where, f"its code cannot be rebuilt: {reason}", _kept(record))
    try:
        layout = run_git(repository, "rev-parse", "--show-toplevel", "--show-prefix")
        top, prefix = os.fsdecode(layout).split("\n")[:2]
        _clone(Path(top), clone)
        if not _has(clone, git["commit"]):
            _fetch(git["commit"], remote, where, repository, clone)
        # What runs in the clone records where the commit is found.
        change = ("set-url", "origin", remote) if remote else ("remove", "origin")
        run_git(clone, "remote", *change)
        _check_out(Path(top), clone, git["commit"])
        changes = (record / DIFF_FILE).read_bytes()
        if changes:
            run_git(clone, "apply", "--whitespace=nowarn", given=changes)
    except (GitRefusal, NoRepository) as error:
        reason = str(error) or "this is no clone of its repository"
        raise OutsideError(
            where, f"its code could not be rebuilt: {reason}", _kept(record)
        ) from error
    return clone / prefix


def _clone(original: Path, clone: Path) -> None:
    # The user's template could have hooks, too.
    options = ("--quiet", "--shared", "--no-checkout", "--template=")
    run_git(original, "clone", *options, "--", str(original), str(clone))


def _check_out(original: Path, clone: Path, commit: str) -> None:
    """Check out a commit, and those of its submodules that the user has."""
    run_git(clone, "checkout", "--quiet", "--no-recurse-submodules", "--detach", commit)
    listed = git_text(clone, "config", "--file", ".gitmodules", "--get-regexp", r"\.path$")
    for path in (line.partition(" ")[2] for line in listed.splitlines()):
        if (original / path / ".git").exists():
            _clone(original / path, clone / path)
            _check_out(original / path, clone / path, git_text(clone, "rev-parse", f"HEAD:{path}"))


def _kept(record: Path) -> str:
    return f"The code that ran is in {record / CODE_FOLDER}."


def _fetch(commit: str, remote: str | None, where: str, repository: Path, clone: Path) -> None:
    """Fetch a commit that this repository does not have into the clone alone."""
    reason = "its repository had no remote"
    if remote:
        # The user's own address of this remote may have what it takes to sign in.
        listed = git_text(repository, "config", "--get-regexp", r"^remote\..*\.url$").splitlines()
        urls = [line.partition(" ")[2] for line in listed]
        url = next((url for url in urls if re.sub(r"//[^/]*@", "//", url) == remote), remote)
        # Some servers only give what a branch or a tag names.
        for wanted in (commit, "refs/*:refs/reproduced/*"):
            try:
                run_git(clone, "fetch", "--quiet", "--no-tags", "--", url, wanted)
            except GitRefusal as refusal:
                reason = str(refusal)
            if _has(clone, commit):
                return
    raise OutsideError(
        where,
        f"its commit {commit[:12]} is neither here nor in {remote or 'a remote'}: {reason}",
        "Push it from where the job was started, or fetch it into this repository.",
    )


def _has(clone: Path, commit: str) -> bool:
    try:
        run_git(clone, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitRefusal:
        return False
    return True


def add_own_files(manifest: Mapping[str, Any], repository: Path, root: Path) -> None:
    """Give the rebuilt repository `root` what no record has, from the user's own.

    That is the configuration, the local workspace, what names of data assets stand for, and data at
    a path as long as it is what the job had. Raises `JobError` for data that has changed.
    """
    for file in (each for pattern in _CONFIGURATION for each in repository.glob(pattern)):
        # It could be a link.
        (root / file.name).unlink(missing_ok=True)
        shutil.copyfile(file, root / file.name)
        # A workspace may require that nothing is changed.
        git_text(root, "update-index", "--assume-unchanged", file.name)
    (root / LOCAL_FOLDER).symlink_to((repository / LOCAL_FOLDER).resolve())
    for item in manifest["data"]:
        if "path" in item and _digest(root / item["path"]) != item["sha256"]:
            _add_data(item, repository, root)
    for each in repository.glob("data/*"):
        if not (root / "data" / each.name).exists():
            (root / "data").mkdir(exist_ok=True)
            (root / "data" / each.name).symlink_to(each.resolve())


def _add_data(item: Mapping[str, Any], repository: Path, root: Path) -> None:
    original, copy = repository / item["path"], root / item["path"]
    what = ""
    if not original.exists():
        what = "is gone"
    elif _digest(original) != item["sha256"]:
        what = "has changed since the job had it"
    elif not copy.parent.resolve().is_relative_to(root.parent):
        what = "is outside of the repository, where a clone cannot have it"
    if what:
        raise JobError(
            f"input {item['input']}",
            f"{item['path']} {what}",
            "Put that data there again, or run the job with today's: add `--as-now`.",
        )
    if copy.is_dir():
        shutil.rmtree(copy)
    for file in data_files(original):
        target = copy / file.relative_to(original)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            # Pants follows no link that leads out of the repository.
            os.link(file.resolve(), target)
        except OSError:
            shutil.copyfile(file, target)


def _digest(data: Path) -> str | None:
    try:
        return data_digest(data).sha256
    except OSError:
        return None

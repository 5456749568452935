"""Decide whether a job may leave this machine, before anything of it is written."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from azureml_jobs.base.credentials import credentials_errors
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.contents import Bundle
from azureml_jobs.bundle.data import LocalData
from azureml_jobs.bundle.files import BundleFile, check_links
from azureml_jobs.bundle.git_command import GitRefusal, NoRepository
from azureml_jobs.bundle.git_state import git_remedy, uncommitted
from azureml_jobs.bundle.secret_guard import (
    SECRET_NAME,
    check_secrets,
    has_secret_name,
    suspicious_files,
    suspicious_settings,
)
from azureml_jobs.bundle.suspicions import Allowed, Suspicion, judge
from azureml_jobs.jobfile.document import MOST_BYTES
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest


def guard_documents(
    request: JobRequest, settings: Sequence[str], allow: Sequence[str], folder: Path
) -> tuple[Allowed, ...]:
    """Check the job file, what it refers to, and settings, before an error could quote them.

    `folder` is the one of the request. Returns what the user has allowed; raises `JobError` for
    anything else that looks like a secret.
    """
    named = ((path, folder / SOURCES_FOLDER / path) for path in request.documents)
    files = [
        BundleFile.read(file, path, path, "")
        for path, file in named
        # A larger one is refused when it is read.
        if file.is_file() and file.stat().st_size <= MOST_BYTES
    ]
    suspicions = [*suspicious_files(files), *suspicious_settings(settings)]
    return check_secrets(suspicions, allow, request.address)


def guard_bundle(bundle: Bundle, repository: Path, allow: Sequence[str]) -> tuple[Allowed, ...]:
    """Check all else: code, build contexts, packages and data."""
    address = bundle.request.address
    _check_requirements(bundle)
    files = {
        file.source: file
        for unit in bundle.units
        for file in (*unit.code, *unit.environment)
        # Package names and digests are generated.
        if file.source != unit.files.packages.lock
    }
    check_links(repository, list(files), address)
    places = check_places(bundle.data, repository, allow, address)
    found = [*suspicious_files(files.values()), *suspicious_data(bundle.data, repository)]
    return (*places, *check_secrets(found, allow, address))


def _check_requirements(bundle: Bundle) -> None:
    for unit in bundle.units:
        packages = unit.files.packages
        lines: Iterable[str] = packages.requirements
        for file in unit.environment:
            if file.source == packages.lock:
                lines = [*lines, *file.content.read_text("utf-8").splitlines()]
        errors = credentials_errors(packages.lock, (line.split(" --hash")[0] for line in lines))
        if errors:
            raise errors[0]


def check_clean_tree(workspace: AzureWorkspace | None, repository: Path) -> None:
    """Raise `JobError` if the workspace accepts only committed files, and some are not."""
    if workspace is None or not workspace.needs_clean_tree:
        return
    where = f"{workspace.source}: REQUIRE_CLEAN_TREE"
    try:
        changed = uncommitted(repository)
    except NoRepository as error:
        raise JobError(
            where,
            "git does not say which files are committed",
            "Submit from a clone of the repository, with git installed.",
        ) from error
    except GitRefusal as error:
        raise JobError(where, f"git refuses: {error}", git_remedy(str(error))) from error
    if changed:
        listed = "\n  ".join(changed[:10])
        more = f"\n  and {len(changed) - 10} more" if len(changed) > 10 else ""
        raise JobError(
            where,
            f"{workspace.name} accepts only committed files, and these are not:\n  {listed}{more}",
            "Commit or stash them, or submit to another workspace.",
        )


_REMEDY = (
    "Put a copy below `data/`, register it (`./pants run :aml -- data register --help`), or allow "
    "this\npath deliberately: add `--allow PATH` after `--`."
)


def check_places(
    data: Iterable[LocalData], repository: Path, allow: Sequence[str], where: str
) -> tuple[Allowed, ...]:
    """Return the data outside of the repository that the user has allowed.

    Raises `JobError` for other data out there: its path may lead to anything on this machine.
    """
    root = os.path.realpath(repository)
    outside = (
        Suspicion(item.path, f"the input `{item.name}`")
        for item in data
        if is_outside(os.path.join(root, item.path), root)
    )
    what = "the job would take data from outside of the repository:"
    return judge(outside, allow, where, what, _REMEDY)


def is_outside(path: str, root: str) -> bool:
    """Return whether a path is outside of a folder, as itself or by the links on its way."""
    return not f"{os.path.realpath(path)}/".startswith(f"{root}/")


def suspicious_data(data: Iterable[LocalData], repository: Path) -> Iterator[Suspicion]:
    """Yield the files of inputs that have names of credentials, or are links that lead out."""
    root = os.path.realpath(repository)
    for item in data:
        start = os.path.join(root, item.path)
        # The user was asked for the folder of data that is itself outside.
        border = os.path.dirname(os.path.realpath(start)) if is_outside(start, root) else root
        yield from suspicious_names(start, item.path, border)


def suspicious_names(start: str, shown: str, border: str = "") -> Iterator[Suspicion]:
    """Yield files of a file or folder that have names of credentials, or are links that lead out.

    `shown` is what the user calls it. Links may not lead out of the folder `border`.
    """
    for path, is_link in _files(start, os.path.islink(start)):
        name = posixpath.normpath(posixpath.join(shown, os.path.relpath(path, start)))
        if has_secret_name(name) or has_secret_name(os.path.realpath(path)):
            yield Suspicion(name, SECRET_NAME)
        elif is_link and border and is_outside(path, border):
            yield Suspicion(name, "a symbolic link that leads out of the repository")


def _files(path: str, is_link: bool, above: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Yield all files below a path, or itself, and whether a link led there."""
    if not os.path.isdir(path):
        if os.path.lexists(path):
            yield path, is_link
        return
    real = os.path.realpath(path) if is_link or not above else path
    entries: list[os.DirEntry[str]] = []
    # Whatever reads the data reports a circle, and a folder that nobody may read.
    if real not in above:
        with contextlib.suppress(OSError):
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    for entry in entries:
        behind = is_link or entry.is_symlink()
        if behind or entry.is_dir():
            yield from _files(entry.path, behind, (*above, real))
        else:
            yield entry.path, behind

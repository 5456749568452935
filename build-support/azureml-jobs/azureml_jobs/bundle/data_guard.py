"""Refuse data of inputs that is not meant to leave the machine: by its place and by its names."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from azureml_jobs.bundle.data import LocalData
from azureml_jobs.bundle.secret_guard import SECRET_NAME, has_secret_name
from azureml_jobs.bundle.suspicions import Allowed, Suspicion, judge

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
        if os.path.exists(path):
            yield path, is_link
        return
    real = os.path.realpath(path) if is_link or not above else path
    if real in above:
        # Whatever reads the data reports the circle.
        return
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            behind = is_link or entry.is_symlink()
            if entry.is_dir():
                yield from _files(entry.path, behind, (*above, real))
            else:
                yield entry.path, behind

"""Warn of what the code names and is not sent."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.overlay import is_in
from azureml_jobs.imports.steps import Shared
from azureml_jobs.jobfile.command.code import Code


def unsent_literals(shared: Shared, code: Code) -> Iterator[JobError]:
    """Yield a warning for each file that the code names and that is not sent, once for a file."""
    warned: set[str] = set()
    for where, literal, found in named_files(shared):
        if found not in shared.files and found not in warned:
            warned.add(found)
            yield JobError(
                where,
                f'"{literal}" names {found}, which is not sent',
                f"If the job needs it, write {declaration(found, code)}.",
            )


def named_files(shared: Shared) -> Iterator[tuple[str, str, str]]:
    """Yield each string that may be the path of a file: where it is, and the file."""
    for (path, line, literal), folders in sorted(shared.literals.items()):
        for name in sorted({posixpath.normpath(posixpath.join(f, literal)) for f in folders}):
            if found := shared.finder.overlay.file(name):
                yield f"{path}:{line}", literal, found


def unsent_folders(shared: Shared) -> Iterator[JobError]:
    """Yield a warning for each folder that the code finds by `__file__`, if it is not sent."""
    for folder, where in sorted(shared.own_folders.items()):
        if not any(file.name.startswith(f"{folder}/") for file in shared.files.values()):
            yield JobError(
                where,
                f"it names the folder {folder}, of which nothing is sent",
                "If the job reads files in it, write `experiment(files=[…])` with their paths in "
                "the BUILD file.",
            )


def declaration(path: str, code: Code) -> str:
    """Return what to write in BUILD files so that the file is sent."""
    place = code.where.partition(":")[0]
    # Without code of its own, it is a target that runs on this machine.
    folder, prefix = (place, "local_") if code.path is None else (posixpath.dirname(place), "")
    build = posixpath.join(folder, "BUILD")
    if is_in(path, folder):
        name = posixpath.relpath(path, folder or ".")
        if name.endswith(".py") and not prefix:
            return f'`experiment(entry_point="{name}")` in {build}'
        return f'`experiment({prefix}files=["{name}"])` in {build}'
    owner, name = posixpath.split(path)
    return (
        f'`files(name="opened", sources=["{name}"])` in {posixpath.join(owner, "BUILD")}, and '
        f'`experiment({prefix}dependencies=["//{owner}:opened"])` in {build}'
    )

"""Warn of what the code names and is not sent."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.overlay import leads_out
from azureml_jobs.imports.steps import Shared


def unsent_literals(shared: Shared) -> Iterator[JobError]:
    """Yield a warning for each file that the code names and that is not sent, once for a file."""
    warned: set[str] = set()
    for (path, line, literal), folders in sorted(shared.literals.items()):
        for name in sorted({posixpath.normpath(posixpath.join(f, literal)) for f in folders}):
            listing = None if leads_out(name) else shared.finder.listing(posixpath.dirname(name))
            found = listing.files.get(posixpath.basename(name)) if listing else None
            if found and found not in shared.why and found not in warned:
                warned.add(found)
                yield _warning(f"{path}:{line}", literal, found)


def unsent_folders(shared: Shared) -> Iterator[JobError]:
    """Yield a warning for each folder that the code finds by `__file__`, if it is not sent."""
    names = {shared.finder.overlay.name_of(path) for path in shared.why}
    for folder, where in sorted(shared.own_folders.items()):
        if not any(name.startswith(f"{folder}/") for name in names):
            yield JobError(
                where,
                f"it names the folder {folder}, of which nothing is sent",
                "If the job reads files in it, write `experiment(files=[…])` with their paths in "
                "the BUILD file.",
            )


def _warning(where: str, literal: str, path: str) -> JobError:
    folder, name = posixpath.split(path)
    return JobError(
        where,
        f'"{literal}" names {path}, which is not sent',
        f'If the job opens it, write `experiment(files=["{name}"])` in the BUILD file of {folder}.',
    )

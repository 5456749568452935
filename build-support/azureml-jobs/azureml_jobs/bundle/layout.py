"""Decide where each file goes inside the snapshot."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from azureml_jobs.base.errors import JobError
from azureml_jobs.protocol import NeededFile


def lay_out(files: Iterable[NeededFile], where: str) -> Mapping[str, NeededFile]:
    """Return each file by its name in the snapshot, sorted.

    Raises `JobError` when two files have the same name, or when a file has the name of a folder
    that another needs.
    """
    layout: dict[str, NeededFile] = {}
    clashes: list[str] = []
    for file in sorted(files, key=lambda file: file.path):
        earlier = layout.setdefault(file.name, file)
        if earlier.path != file.path:
            clashes.append(f"{earlier.path} and {file.path} would both become {file.name}")
    for name, file in layout.items():
        parent = posixpath.dirname(name)
        while parent:
            if parent in layout:
                path = layout[parent].path
                clashes.append(f"{file.path} needs a folder {parent}, which {path} becomes")
            parent = posixpath.dirname(parent)
    if clashes:
        raise JobError(
            where,
            "two files with one name in the snapshot: " + "; ".join(clashes),
            "Rename one of them, or let `code:` name a folder that has both, such as `code: ..`.",
        )
    return dict(sorted(layout.items()))

"""Decide where each file goes inside the snapshot."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from azureml_jobs.base.errors import JobError


def archive_path(path: str, source_root: str, folder: str | None) -> str:
    """Return the name of `path` inside the snapshot.

    A file in the code folder keeps its path relative to it; any other file gets its path relative
    to its source root. The repository's root is the empty string. Paths have forward slashes on
    every system, because jobs run on Linux.
    """
    if folder == "":
        return path
    for base in (folder, source_root):
        if base and path.startswith(base + "/"):
            return path[len(base) + 1 :]
    return path


def lay_out(
    files: Iterable[tuple[str, str]], folder: str | None, where: str, key: str = "code"
) -> Mapping[str, str]:
    """Return the path of each file by its name in the snapshot, sorted, for `(path, source root)`.

    `folder` is the code folder; without one (None) only source roots count. Raises `JobError` when
    two files have the same name, or when a file has the name of a folder that another needs.
    """
    layout: dict[str, str] = {}
    clashes: list[str] = []
    for path, source_root in sorted(files):
        name = archive_path(path, source_root, folder)
        if name in layout and layout[name] != path:
            clashes.append(f"{layout[name]} and {path} would both become {name}")
        layout[name] = path
    for name, path in layout.items():
        parent = posixpath.dirname(name)
        while parent:
            if parent in layout:
                clashes.append(f"{path} needs a folder {parent}, which {layout[parent]} becomes")
            parent = posixpath.dirname(parent)
    if clashes:
        raise JobError(
            f"{where}: {key}",
            "two files with one name in the snapshot: " + "; ".join(clashes),
            "Rename one of them, or let `code:` name a folder that has both, such as `code: ..`.",
        )
    return dict(sorted(layout.items()))

"""Where each file of a closure goes inside the snapshot."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from azureml_jobs.base.errors import JobError


def archive_path(path: str, source_root: str, folder: str | None) -> str:
    """The name of `path` inside the snapshot.

    Below the code folder a file keeps its path relative to it; any other file goes to its path
    relative to its source root. The repository's root, above all files, is the empty string.
    Forward slashes on every system, because jobs run on Linux.
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
    """Names inside the snapshot of `(path, source root)` pairs: archive path -> path, sorted.

    `folder` is the code folder; without one (None) only source roots count. Raises `JobError` when
    two files would share one name, or when one would stand where another needs a folder.
    """
    placed: dict[str, str] = {}
    clashes: list[str] = []
    for path, source_root in sorted(files):
        name = archive_path(path, source_root, folder)
        if name in placed and placed[name] != path:
            clashes.append(f"{placed[name]} and {path} would both become {name}")
        placed[name] = path
    for name, path in placed.items():
        parent = posixpath.dirname(name)
        while parent:
            if parent in placed:
                clashes.append(f"{path} needs a folder {parent}, which {placed[parent]} becomes")
            parent = posixpath.dirname(parent)
    if clashes:
        raise JobError(
            f"{where}: {key}",
            "two files on one name in the snapshot: " + "; ".join(clashes),
            "Rename one of them, or let `code:` name a folder that holds both, such as `code: ..`.",
        )
    return dict(sorted(placed.items()))

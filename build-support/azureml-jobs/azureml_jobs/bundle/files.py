"""The files of a bundle: what each is, where it goes, and which of them may not leave."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.limits import (
    CONTEXT_BYTES,
    CONTEXT_FILES,
    SNAPSHOT_BYTES,
    SNAPSHOT_FILES,
)
from azureml_jobs.protocol import NeededFile


@dataclass(frozen=True)
class BundleFile:
    """A file that the bundle will have.

    `path` is its name inside `code/` or `environment/`, `source` its path in the repository (or
    what generated it), `content` where its bytes are, `size` in bytes, `sha256` in hex.
    """

    path: str
    source: str
    owner: str
    why: str
    content: Path
    size: int
    sha256: str
    executable: bool

    @classmethod
    def read(cls, content: Path, path: str, source: str, why: str, owner: str = "") -> Self:
        data = content.read_bytes()
        return cls(
            path=path,
            source=source,
            owner=owner,
            why=why,
            content=content,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            # Not `os.access`, which is false for all files of a file system mounted as `noexec`.
            executable=bool(content.stat().st_mode & stat.S_IXUSR),
        )


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


SIZE_WARNING_BYTES = 100 * 1024 * 1024


def check_links(repository: Path, paths: Sequence[str], where: str) -> None:
    """Raise `JobError` for a symbolic link that leads out of the repository, or nowhere."""
    root = repository.resolve()
    for path in paths:
        # What is generated is only in the folder that Pants gathered.
        if problem := _link_problem(repository / path, root):
            raise JobError(
                where,
                f"{path} is a symbolic link {problem}",
                "Replace the link by the file itself, or take it out of the target's sources.",
            )


def _link_problem(path: Path, root: Path) -> str:
    if not os.path.lexists(path):
        return ""
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError:
        return "that leads nowhere"
    except (OSError, RuntimeError):
        # Python up to 3.12 raises RuntimeError for a circle of links, later versions OSError.
        return "in a circle"
    return "" if target.is_relative_to(root) else "that leads out of the repository"


def size_warnings(files: Sequence[BundleFile]) -> Iterator[str]:
    """Yield warnings of a snapshot with large files, or with many."""
    total, advice = (
        sum(file.size for file in files),
        "Data is better passed as an input of the job.",
    )
    if total > SIZE_WARNING_BYTES:
        largest = sorted(files, key=lambda file: -file.size)[:3]
        named = ", ".join(f"{file.source} ({file.size / 1e6:.0f} MB)" for file in largest)
        yield (
            f"the snapshot is {total / 1e6:.0f} MB, and Azure ML's limit is "
            f"{SNAPSHOT_BYTES / 1e6:.0f} MB. The largest files: {named}. {advice}"
        )
    if (count := len(files)) > SNAPSHOT_FILES:
        yield f"the snapshot has {count} files, and Azure ML's limit is {SNAPSHOT_FILES}. {advice}"


def context_warnings(files: Sequence[BundleFile]) -> Iterator[str]:
    """Yield a warning of a Docker build context that is larger than Azure ML builds."""
    total = sum(file.size for file in files)
    if len(files) > CONTEXT_FILES or total > CONTEXT_BYTES:
        yield (
            f"the Docker build context has {len(files)} files of {total / 1e6:.1f} MB, and Azure "
            f"ML's limit is {CONTEXT_FILES} files of {CONTEXT_BYTES / 1e6:.0f} MB. "
            "Move what the Dockerfile does not copy out of its folder."
        )

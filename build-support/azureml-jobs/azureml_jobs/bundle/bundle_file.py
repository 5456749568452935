"""One file of a bundle."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self


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

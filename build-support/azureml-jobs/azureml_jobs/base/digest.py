"""Digests of files: their names, bytes and run bits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

ENVIRONMENT_TAG_PREFIX = "env-"


def content_digest(files: Iterable[tuple[str, bytes, bool]]) -> str:
    """Return the sha256, in hex, of `(path, content, is executable)` in any order."""
    return entries_digest(
        (path, hashlib.sha256(content).hexdigest(), executable)
        for path, content, executable in files
    )


def entries_digest(entries: Iterable[tuple[str, str, bool]]) -> str:
    """Return the same of `(path, sha256 of the content, is executable)`."""
    # JSON separates the parts, so that no two lists of files have the same text.
    return hashlib.sha256(json.dumps(sorted(entries)).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256, in hex, of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def environment_tag(digest: str) -> str:
    """Return the tag of the image that is built from the environment of this digest."""
    return f"{ENVIRONMENT_TAG_PREFIX}{digest[:12]}"

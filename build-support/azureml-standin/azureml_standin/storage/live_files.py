"""Files of jobs as blobs, and digests of parts of files."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from azureml_standin.state import BlobRecord


class LiveBlobs(Protocol):
    """Blobs that are files of running jobs, read as they grow."""

    def blob(self, container: str, name: str) -> BlobRecord | None: ...

    def blobs(self, container: str, prefix: str) -> Iterable[BlobRecord]: ...


def live_blob(container: str, name: str, file: Path, is_final: bool) -> BlobRecord | None:
    """Return a file of a job as a blob; None when it is gone. Only a final one has its MD5.

    Logs are appended to while the job runs, as Azure ML writes them; other files are replaced.
    """
    try:
        state = file.stat()
        md5 = _file_md5(file, state.st_size, state.st_mtime_ns) if is_final else ""
    except OSError:
        return None
    return BlobRecord(
        container,
        name,
        state.st_size,
        md5,
        f'"0x{state.st_mtime_ns:X}{state.st_size:X}"',
        state.st_mtime,
        file,
        kind="AppendBlob" if "/user_logs/" in name and not is_final else "BlockBlob",
    )


_MD5_CACHE: dict[tuple[Path, int, int], str] = {}
_MD5_LOCK = threading.Lock()


def _file_md5(file: Path, size: int, changed: int) -> str:
    with _MD5_LOCK:
        known = _MD5_CACHE.get((file, size, changed))
    if known is None:
        known = range_md5(file, 0, size)
        with _MD5_LOCK:
            _MD5_CACHE[file, size, changed] = known
    return known


def range_md5(file: Path, start: int, end: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(file, "rb") as source:
        source.seek(start)
        left = end - start
        while left > 0 and (chunk := source.read(min(left, 1 << 20))):
            digest.update(chunk)
            left -= len(chunk)
    return base64_of(digest.digest())


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

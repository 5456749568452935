"""Remember the digests of large files, so that data is read again only when it has changed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.remembered import Remembered

# Reading less takes no longer than looking it up.
_LARGE_BYTES = 1_000_000
# A file may change again within the resolution of its times.
_SETTLED_SECONDS = 2.0


class KnownDigests:
    """The sha256 of files by their paths, each with the size, times and inode that it had then."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    def of(self, path: Path) -> str:
        """Return the sha256, in hex, of the file. Raises `OSError` for what cannot be read."""
        found = path.stat()
        if found.st_size < _LARGE_BYTES:
            return file_digest(path)
        state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
        name = str(path.resolve())
        before, _, digest = str(self._remembered.get(name)).rpartition(" ")
        if before == state:
            return digest
        digest = file_digest(path)
        if time.time() - max(found.st_mtime, found.st_ctime) >= _SETTLED_SECONDS:
            self._remembered.put(name, f"{state} {digest}")
        return digest


@contextlib.contextmanager
def known_digests() -> Iterator[KnownDigests]:
    remembered = Remembered("data-digests.json")
    yield KnownDigests(remembered)
    remembered.save()

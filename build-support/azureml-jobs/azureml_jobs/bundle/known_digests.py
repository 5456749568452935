"""Remember the digests of large files, so that data is read again only when it has changed."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.cache_folder import cache_folder
from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.private_folder import make_folder

# Reading less takes no longer than looking it up.
_LARGE_BYTES = 1_000_000
_MOST_REMEMBERED = 20_000
# A file may change again within the resolution of its times.
_SETTLED_SECONDS = 2.0


class KnownDigests:
    """The sha256 of files by their paths, each with the size, times and inode that it had then."""

    def __init__(self) -> None:
        folder = cache_folder()
        self._file = folder / "data-digests.json" if folder else None
        self._known: dict[str, str] = {}
        self._is_changed = False
        with contextlib.suppress(OSError, ValueError, TypeError):
            if self._file is not None:
                self._known = dict(json.loads(self._file.read_bytes()))

    def of(self, path: Path) -> str:
        """Return the sha256, in hex, of the file. Raises `OSError` for what cannot be read."""
        found = path.stat()
        if found.st_size < _LARGE_BYTES:
            return file_digest(path)
        state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
        name = str(path.resolve())
        before, _, digest = str(self._known.pop(name, "")).rpartition(" ")
        if before != state:
            digest, self._is_changed = file_digest(path), True
            if time.time() - max(found.st_mtime, found.st_ctime) < _SETTLED_SECONDS:
                return digest
        # The files that were used last are forgotten last.
        self._known[name] = f"{state} {digest}"
        return digest

    def save(self) -> None:
        if self._file is None or not self._is_changed:
            return
        kept = dict([*self._known.items()][-_MOST_REMEMBERED:])
        # It only saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            make_folder(self._file.parent)
            write_file(self._file, json.dumps(kept))


@contextlib.contextmanager
def known_digests() -> Iterator[KnownDigests]:
    known = KnownDigests()
    yield known
    known.save()

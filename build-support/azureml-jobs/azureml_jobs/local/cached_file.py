"""What is kept of the file behind one address: its versions, and what arrived of the next one.

The folder has `meta.json`, which describes the newest version, and every version in a folder named
by its digest: a job keeps what it started with. What an interrupted transfer left is in `part`, and
`part.json` says of which version it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.files import write_file
from azureml_jobs.base.job_status import now


def shown(url: str) -> str:
    """Return an address without its query, which may be a signature, and without a password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


class CachedFile:
    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.part = folder / "part"
        self._meta_file = folder / "meta.json"
        self._part_meta_file = folder / "part.json"

    @classmethod
    def of(cls, url: str, cache: Path) -> CachedFile:
        """Return what the cache has of an address. Raises `JobError` for what is none."""
        try:
            urlsplit(url)
        except ValueError as error:
            what = f"this is no address: {error}"
            raise JobError(url, what, "Write `https://HOST/PATH`.") from error
        return cls(url, cache / hashlib.sha256(url.encode()).hexdigest()[:24])

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time work on the folder, which is created."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"Another job fetches {shown(self.url)}: waiting for it", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def newest(self) -> dict[str, Any] | None:
        """Return the description of the newest version, if its file is what was fetched."""
        meta = _read(self._meta_file)
        if meta is not None:
            with contextlib.suppress(OSError):
                status = self.path(meta).stat()
                is_untouched = (status.st_size, status.st_mtime_ns) == (
                    *(meta["size"], meta["changed"]),
                )
                if is_untouched or file_digest(self.path(meta)) == meta["sha256"]:
                    return meta
        return None

    def path(self, meta: Mapping[str, Any]) -> Path:
        return self.folder / str(meta["sha256"])[:16] / str(meta["name"])

    def conditions(self, newest: Mapping[str, Any] | None) -> dict[str, str]:
        """Return the headers of a request for only what is missing."""
        headers = {}
        if newest and newest["etag"]:
            headers["If-None-Match"] = newest["etag"]
        elif newest and newest["modified"]:
            headers["If-Modified-Since"] = newest["modified"]
        part = self._part_meta()
        if part and self.part_size():
            # A weak tag does not promise the same bytes.
            version = part["modified"] if part["etag"].startswith("W/") else part["etag"]
            if version:
                headers |= {"Range": f"bytes={self.part_size()}-", "If-Range": version}
        return headers

    def begin(self, size: int, etag: str, modified: str) -> None:
        """Begin to keep a version; `size` is 0 where it is not known."""
        self.forget_part()
        write_file(
            self._part_meta_file, json.dumps({"size": size, "etag": etag, "modified": modified})
        )

    def part_size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def whole_size(self) -> int:
        """Return the size of the version that arrives, 0 where it is not known."""
        return int((self._part_meta() or {}).get("size") or 0)

    def forget_part(self) -> None:
        self._part_meta_file.unlink(missing_ok=True)
        self.part.unlink(missing_ok=True)

    def finish(self) -> dict[str, Any]:
        """Make the part, which is whole, the newest version; return its description."""
        meta = {
            **(self._part_meta() or {}),
            "url": shown(self.url),
            "size": self.part_size(),
            "sha256": file_digest(self.part),
            "name": _file_name(self.url),
            "fetched": now(),
        }
        target = self.path(meta)
        target.parent.mkdir(exist_ok=True)
        # As in Azure ML, a job cannot write into its inputs.
        self.part.chmod(0o444)
        os.replace(self.part, target)
        meta["changed"] = target.stat().st_mtime_ns
        write_file(self._meta_file, json.dumps(meta, indent=2))
        self.forget_part()
        return meta

    def _part_meta(self) -> dict[str, Any] | None:
        return _read(self._part_meta_file)


def _file_name(url: str) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2].replace("\0", "")[-200:]
    return "data" if name in ("", ".", "..") else name


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return content
    except (OSError, ValueError):
        return None

"""Fetch the files behind `https:` addresses into the cache, each version once.

The cache has a folder for each address: `meta.json` describes the newest version, and every version
is in a folder named by its digest: a job keeps what it started with. What an interrupted transfer
left is in `part`, and `part.json` says of which version it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from azureml_jobs.base.console import print_warning, size_text
from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder, take_lock, write_file
from azureml_jobs.base.job_status import now
from azureml_jobs.base.progress import Progress
from azureml_jobs.base.web import failure_reason, pool_manager, tls_context

if TYPE_CHECKING:
    import urllib3

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
# Seconds between attempts at which nothing more arrived.
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 20.0
_READ_BYTES = 1 << 17
_PAGES = (".html", ".htm")


class _NotWhole(Exception):
    """The server did not send the whole file, and may do so later."""


def shown(url: str) -> str:
    """Return an address without its query, which may be a signature, and without a password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def cache_folder(url: str, cache: Path) -> Path:
    """Return the folder of an address in the cache. Raises `JobError` for what is none."""
    try:
        urlsplit(url)
    except ValueError as error:
        what = f"this is no address: {error}"
        raise JobError(url, what, "Write `https://HOST/PATH`.") from error
    return cache / hashlib.sha256(url.encode()).hexdigest()[:24]


def fetch(url: str, cache: Path) -> Path:
    """Return the file behind an address, fetched unless the cache has the server's version.

    Raises `JobError` when there is no file, and `OutsideError` when it does not arrive whole; the
    next call resumes. When the server cannot be reached, the version in the cache is used.
    """
    folder = cache_folder(url, cache)
    try:
        make_folder(folder)
        with open(folder / "lock", "wb") as lock:
            if not take_lock(lock):
                print(f"Another job fetches {shown(url)}: waiting for it", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            return _Transfer(url, folder).run()
    except OSError as error:
        raise OutsideError(
            shown(url),
            f"the file could not be written to {folder}: {error.strerror or error}",
            "Make room there. Whatever is in the cache can be removed.",
        ) from error


class _Transfer:
    """One transfer into the folder of the address, which this process has locked."""

    def __init__(self, url: str, folder: Path) -> None:
        import urllib3

        self._url, self._where, self._folder = url, shown(url), folder
        self._part, self._part_meta = folder / "part", folder / "part.json"
        # Redirections are followed, and nothing else is tried again here.
        self._retries = urllib3.Retry(
            total=10, connect=0, read=0, status=0, other=0, respect_retry_after_header=False
        )

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        parts = urlsplit(self._url)
        return pool_manager(parts.scheme, parts.netloc, tls_context())

    def run(self) -> Path:
        newest = self._newest()
        failures, reached = 0, self._part_size()
        while True:
            try:
                return self._attempt(newest)
            except _NotWhole as error:
                failures = 0 if self._part_size() > reached else failures + 1
                reached = max(reached, self._part_size())
                if failures < len(_PAUSES):
                    time.sleep(_PAUSES[failures])
                    continue
                if newest is None:
                    what = f"the file could not be fetched: {error}"
                    raise OutsideError(self._where, what, "The same command resumes it.") from error
                print_warning(
                    f"{self._where} could not be asked whether it has changed ({error}). The file "
                    f"that was fetched at {newest['fetched'][:16]} is used"
                )
                return self._version(newest)

    def _attempt(self, newest: Mapping[str, Any] | None) -> Path:
        with self._response(newest) as response:
            if response.status == 304 and newest is not None:
                return self._version(newest)
            self._check(response)
            if response.status != 206:
                self._begin(response)
            size = int(_read(self._part_meta).get("size") or 0)
            self._receive(response, size)
        received = self._part_size()
        if size and size != received:
            self._forget_part()
            raise _NotWhole(f"{received} bytes arrived of {size}")
        meta = self._finish()
        print(f"Fetched {self._where}: {size_text(meta['size'])}", file=sys.stderr)
        return self._version(meta)

    @contextlib.contextmanager
    def _response(self, newest: Mapping[str, Any] | None) -> Iterator[urllib3.BaseHTTPResponse]:
        import urllib3

        try:
            response = self._pool.request(
                "GET",
                self._url,
                headers=self._conditions(newest),
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SILENCE_SECONDS),
                retries=self._retries,
                preload_content=False,
            )
            with contextlib.closing(response):
                yield response
        except urllib3.exceptions.HTTPError as error:
            raise _NotWhole(failure_reason(error)) from error

    def _conditions(self, newest: Mapping[str, Any] | None) -> dict[str, str]:
        """Return the headers of a request for only what is missing."""
        headers = {}
        if newest and newest["etag"]:
            headers["If-None-Match"] = newest["etag"]
        elif newest and newest["modified"]:
            headers["If-Modified-Since"] = newest["modified"]
        part = _read(self._part_meta)
        if part and self._part_size():
            # A weak tag does not promise the same bytes.
            version = part["modified"] if part["etag"].startswith("W/") else part["etag"]
            if version:
                headers |= {"Range": f"bytes={self._part_size()}-", "If-Range": version}
        return headers

    def _check(self, response: urllib3.BaseHTTPResponse) -> None:
        """Raise for a response that has no part of the file that is missing."""
        status = response.status
        start = f"bytes {self._part_size()}-"
        is_other_part = status == 206 and start not in response.headers.get("Content-Range", "")
        if status == 416 or is_other_part:
            self._forget_part()
        if status == 416 or is_other_part or status in _TRANSIENT:
            raise _NotWhole(f"the server answers with status {status}")
        if status not in (200, 206):
            raise JobError(
                self._where,
                f"there is no file to fetch: the server answers with status {status}",
                "Check the address, and that it is public or that its signature is still valid.",
            )
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html") and not urlsplit(self._where).path.endswith(_PAGES):
            raise JobError(
                self._where,
                "the server answers with a web page, not with data",
                "Open the address in a browser: it may ask to sign in. Write the address of the "
                "file itself.",
            )

    def _begin(self, response: urllib3.BaseHTTPResponse) -> None:
        """Begin to keep a version; its size is 0 where it is not known."""
        size, headers = response.length_remaining or 0, response.headers
        self._forget_part()
        version = {"etag": headers.get("ETag", ""), "modified": headers.get("Last-Modified", "")}
        write_file(self._part_meta, json.dumps({"size": size, **version}))
        free = shutil.disk_usage(self._folder).free
        if size > free:
            raise OutsideError(
                self._where,
                f"the file has {size_text(size)}, and {size_text(free)} are free",
                f"Make room where {self._folder} is.",
            )

    def _receive(self, response: urllib3.BaseHTTPResponse, size: int) -> None:
        progress = Progress("Fetching", 1, size)
        progress.advance(self._part_size(), files=0)
        try:
            with open(self._part, "ab") as out:
                # As it is: a compressed file stays one.
                read = partial(response.read1, _READ_BYTES, decode_content=False)
                for data in iter(read, b""):
                    out.write(data)
                    progress.advance(len(data), files=0)
                    progress.show(time.monotonic())
                out.flush()
                os.fsync(out.fileno())
        except OSError:
            # On a full disk it is in the way.
            self._forget_part()
            raise
        finally:
            progress.end()

    def _finish(self) -> dict[str, Any]:
        """Make the part, which is whole, the newest version; return its description."""
        name = unquote(urlsplit(self._url).path).rpartition("/")[2].replace("\0", "")
        # File systems count bytes.
        name = name.encode("utf-8", "replace")[-200:].decode("utf-8", "ignore")
        meta = {
            **_read(self._part_meta),
            "url": self._where,
            "size": self._part_size(),
            "sha256": file_digest(self._part),
            "name": "data" if name in ("", ".", "..") else name,
            "fetched": now(),
        }
        target = self._version(meta)
        target.parent.mkdir(exist_ok=True)
        # As in Azure ML, a job cannot write into its inputs.
        self._part.chmod(0o444)
        os.replace(self._part, target)
        meta["changed"] = target.stat().st_mtime_ns
        write_file(self._folder / "meta.json", json.dumps(meta, indent=2))
        self._forget_part()
        return meta

    def _newest(self) -> dict[str, Any] | None:
        """Return the description of the newest version, if its file is what was fetched."""
        meta = _read(self._folder / "meta.json")
        with contextlib.suppress(OSError, KeyError):
            state = self._version(meta).stat()
            is_untouched = (state.st_size, state.st_mtime_ns) == (meta["size"], meta["changed"])
            if is_untouched or file_digest(self._version(meta)) == meta["sha256"]:
                return meta
        return None

    def _version(self, meta: Mapping[str, Any]) -> Path:
        return self._folder / str(meta["sha256"])[:16] / str(meta["name"])

    def _part_size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _forget_part(self) -> None:
        self._part_meta.unlink(missing_ok=True)
        self._part.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any]:
    """Return what the file has; nothing when it is missing or torn."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(file.read_text(encoding="utf-8")))
    return {}

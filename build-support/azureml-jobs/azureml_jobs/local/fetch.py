"""Fetch the files behind `https:` addresses into the cache, each version once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azureml_jobs.base.console import print_warning, size_text
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.progress import Progress
from azureml_jobs.base.web import failure_reason, proxy_of, tls_context
from azureml_jobs.local.cached_file import CachedFile, shown

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


def fetch(url: str, cache: Path) -> Path:
    """Return the file behind an address, fetched unless the cache has the server's version.

    Raises `JobError` when there is no file, and `OutsideError` when it does not arrive whole; the
    next call resumes. When the server cannot be reached, the version in the cache is used.
    """
    file = CachedFile.of(url, cache)
    try:
        with file.locked():
            return _fetch(file)
    except OSError as error:
        raise OutsideError(
            shown(url),
            f"the file could not be written to {file.folder}: {error.strerror or error}",
            "Make room there. Whatever is in the cache can be removed.",
        ) from error


def _fetch(file: CachedFile) -> Path:
    transfer, newest = _Transfer(file), file.newest()
    failures, reached = 0, file.part_size()
    while True:
        try:
            return transfer.attempt(newest)
        except _NotWhole as error:
            failures = 0 if file.part_size() > reached else failures + 1
            reached = max(reached, file.part_size())
            if failures < len(_PAUSES):
                time.sleep(_PAUSES[failures])
                continue
            if newest is None:
                what = f"the file could not be fetched: {error}"
                raise OutsideError(shown(file.url), what, "The same command resumes it.") from error
            print_warning(
                f"{shown(file.url)} could not be asked whether it has changed ({error}). The file "
                f"that was fetched at {newest['fetched'][:16]} is used"
            )
            return file.path(newest)


class _Transfer:
    def __init__(self, file: CachedFile) -> None:
        import urllib3

        self._file = file
        parts = urlsplit(file.url)
        proxy = proxy_of(parts.scheme, parts.netloc)
        settings: dict[str, Any] = {"ssl_context": tls_context()}
        self._pool = (
            urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)
        )
        # Redirections are followed, and nothing else is tried again here.
        self._retries = urllib3.Retry(
            total=10, connect=0, read=0, status=0, other=0, respect_retry_after_header=False
        )

    def attempt(self, newest: Mapping[str, Any] | None) -> Path:
        with self._response(newest) as response:
            if response.status == 304 and newest is not None:
                return self._file.path(newest)
            self._check(response)
            if response.status != 206:
                self._begin(response)
            self._receive(response)
        whole, received = self._file.whole_size(), self._file.part_size()
        if whole and whole != received:
            self._file.forget_part()
            raise _NotWhole(f"{received} bytes arrived of {whole}")
        meta = self._file.finish()
        print(f"Fetched {meta['url']}: {size_text(meta['size'])}", file=sys.stderr)
        return self._file.path(meta)

    @contextlib.contextmanager
    def _response(self, newest: Mapping[str, Any] | None) -> Iterator[urllib3.BaseHTTPResponse]:
        import urllib3

        try:
            response = self._pool.request(
                "GET",
                self._file.url,
                headers=self._file.conditions(newest),
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SILENCE_SECONDS),
                retries=self._retries,
                preload_content=False,
            )
            try:
                yield response
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            raise _NotWhole(failure_reason(error)) from error

    def _check(self, response: urllib3.BaseHTTPResponse) -> None:
        """Raise for a response that has no part of the file that is missing."""
        status, where = response.status, shown(self._file.url)
        start = f"bytes {self._file.part_size()}-"
        is_other_part = status == 206 and start not in response.headers.get("Content-Range", "")
        if status == 416 or is_other_part:
            self._file.forget_part()
        if status == 416 or is_other_part or status in _TRANSIENT:
            raise _NotWhole(f"the server answers with status {status}")
        if status not in (200, 206):
            raise JobError(
                where,
                f"there is no file to fetch: the server answers with status {status}",
                "Check the address, and that it is public or that its signature is still valid.",
            )
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html") and not urlsplit(where).path.endswith(_PAGES):
            raise JobError(
                where,
                "the server answers with a web page, not with data",
                "Open the address in a browser: it may ask to sign in. Write the address of the "
                "file itself.",
            )

    def _begin(self, response: urllib3.BaseHTTPResponse) -> None:
        size = response.length_remaining or 0
        headers = response.headers
        self._file.begin(size, headers.get("ETag", ""), headers.get("Last-Modified", ""))
        free = shutil.disk_usage(self._file.folder).free
        if size > free:
            raise OutsideError(
                shown(self._file.url),
                f"the file has {size_text(size)}, and {size_text(free)} are free",
                f"Make room where {self._file.folder} is.",
            )

    def _receive(self, response: urllib3.BaseHTTPResponse) -> None:
        """Append the body to the part."""
        progress = Progress("Fetching", 1, self._file.whole_size())
        progress.advance(self._file.part_size(), files=0)
        try:
            with open(self._file.part, "ab") as out:
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
            self._file.forget_part()
            raise
        finally:
            progress.end()

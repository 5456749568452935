"""Blobs of one container, by the documented protocol of Azure Storage.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from azureml_jobs.azure.connection import Connection, is_success
from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.transport import Response
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.progress import Progress

VERSION = "2021-12-02"
# Larger files go up in blocks, several at once.
SINGLE_PUT_BYTES = 16 << 20
BLOCK_BYTES = 8 << 20
WORKERS = 32
# https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url: limits of its source.
_COPY_BYTES = 256 << 20
_COPY_URL_LENGTH = 2048
# How long storage may take for a copy, before the file is sent in place of it.
_COPY_SECONDS = 5.0
_COPY_RATE = 20e6
_SAS_HOURS = 12
# A signature may not be known everywhere yet, and storage answers 409 while it makes room.
_ALSO_TRANSIENT = frozenset({409})


@dataclass(frozen=True)
class Blob:
    """`md5` is empty where nobody told it. A blob that `grows` is appended to, such as a log.

    `changed` is in seconds since 1970.
    """

    name: str
    size: int
    md5: str
    etag: str = ""
    grows: bool = False
    changed: float = 0.0


@dataclass(frozen=True)
class LocalFile:
    """A file to send: its `name` in the container, where it is, its size in bytes."""

    name: str
    path: Path
    size: int


@dataclass(frozen=True)
class CopySource:
    """A blob elsewhere in the account. `url` holds a signature, or `token` is the user's own."""

    url: str
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What a request to copy from it says, apart from the MD5."""
        headers = {"x-ms-copy-source": self.url, "x-ms-requires-sync": "true"}
        if self.token:
            headers["x-ms-copy-source-authorization"] = f"Bearer {self.token}"
        return headers

    def is_worth_it(self, size: int) -> bool:
        """Whether a file of `size` bytes can be copied, and that sends fewer bytes than itself."""
        cost = sum(len(name) + len(value) for name, value in self.headers.items())
        return cost < size <= _COPY_BYTES and len(self.url) <= _COPY_URL_LENGTH


class Container:
    """`address` is `https://account.blob…/container`; `sas` the query that allows access.

    Without a `sas` the token of `scope` is used.
    """

    def __init__(
        self, connection: Connection, address: str, sas: str = "", scope: str | None = None
    ) -> None:
        self.address = address.rstrip("/")
        self._connection = connection
        self._sas = sas
        self._scope = scope

    @classmethod
    def of_sas_address(cls, connection: Connection, address: str) -> Container:
        base, _, sas = address.partition("?")
        return cls(connection, base, sas)

    def url(self, name: str) -> str:
        return f"{self.address}/{quote(name)}"

    def has(self, name: str) -> bool:
        answer = self._send("HEAD", name, accept=lambda status: status in (200, 404))
        return answer.status == 200

    def put(self, name: str, content: bytes) -> None:
        self._send(
            "PUT",
            name,
            body=content,
            headers={"x-ms-blob-type": "BlockBlob", "Content-MD5": _md5(content)},
        )

    def copy(self, name: str, source: CopySource, file: LocalFile) -> None:
        """Have storage make a blob of one elsewhere in its account, which holds what `file` holds.

        Storage compares the MD5, and the new blob has that of its source. Raises `ServiceError`.
        """
        answer = self._send(
            "PUT",
            name,
            headers={**source.headers, "x-ms-source-content-md5": file_md5(file.path)},
            retry_also=frozenset(),
            patience=_COPY_SECONDS + file.size / _COPY_RATE,
        )
        status = answer.headers.get("x-ms-copy-status")
        if status != "success":
            raise ServiceError(self.url(name), f"the copy is {status or 'not told of'}")

    def put_block(self, name: str, block: str, content: bytes) -> None:
        self._send(
            "PUT",
            name,
            {"comp": "block", "blockid": block},
            body=content,
            headers={"Content-MD5": _md5(content)},
        )

    def put_block_list(self, name: str, blocks: list[str], md5: str) -> None:
        listed = "".join(f"<Latest>{block}</Latest>" for block in blocks)
        text = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'
        self._send(
            "PUT",
            name,
            {"comp": "blocklist"},
            body=text.encode(),
            headers={"x-ms-blob-content-md5": md5, "Content-Type": "application/xml"},
        )

    def list(self, prefix: str) -> Iterator[Blob]:
        """All blobs whose names begin with `prefix`."""
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix}
            answer = self._send("GET", "", {**query, **({"marker": marker} if marker else {})})
            listing = ElementTree.fromstring(answer.body)
            for entry in listing.iter("Blob"):
                yield Blob(
                    entry.findtext("Name") or "",
                    int(entry.findtext("Properties/Content-Length") or 0),
                    entry.findtext("Properties/Content-MD5") or "",
                    (entry.findtext("Properties/Etag") or "").strip('"'),
                    entry.findtext("Properties/BlobType") == "AppendBlob",
                    _moment(entry.findtext("Properties/Last-Modified") or ""),
                )
            marker = listing.findtext("NextMarker") or ""
            if not marker:
                return

    def read(self, blob: Blob, start: int, sink: Callable[[bytes], None]) -> None:
        """Give `sink` the bytes of a blob from `start` on, as long as it was when it was listed.

        Raises `ServiceError` 412 when it is another one by now; one that grows may have grown.
        """
        headers = {"Range": f"bytes={start}-{blob.size - 1}"}
        if blob.etag and not blob.grows:
            headers["If-Match"] = f'"{blob.etag}"'
        self._send("GET", blob.name, headers=headers, sink=sink)

    def _send(
        self,
        method: str,
        name: str,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        accept: Callable[[int], bool] = is_success,
        sink: Callable[[bytes], None] | None = None,
        retry_also: frozenset[int] = _ALSO_TRANSIENT,
        patience: float | None = None,
    ) -> Response:
        address = self.url(name) if name else self.address
        arguments = "&".join(part for part in (urlencode(query or {}), self._sas) if part)
        return self._connection.request(
            method,
            f"{address}?{arguments}" if arguments else address,
            scope=None if self._sas else self._scope,
            headers={"x-ms-version": VERSION, **(headers or {})},
            body=body,
            accept=accept,
            sink=sink,
            retry_also=retry_also if method == "PUT" else frozenset(),
            patience=patience,
        )


def missing_files(container: Container, files: list[LocalFile], prefix: str) -> list[LocalFile]:
    """Those that no earlier attempt brought there."""
    try:
        present = {blob.name: blob for blob in container.list(prefix)}
    except ServiceError as error:
        # A signature may allow writing alone.
        if error.status_code != 403:
            raise
        return files
    return [
        file
        for file in files
        if (blob := present.get(prefix + file.name)) is None
        or blob.size != file.size
        or blob.md5 != file_md5(file.path)
    ]


def copy_files(
    container: Container, files: Mapping[LocalFile, CopySource], prefix: str
) -> set[LocalFile]:
    """Have storage copy files, several at once; which of them it did.

    After the first that it does not do, no other is tried: what it may not read, it may not read in
    the next one either.
    """
    copied: set[LocalFile] = set()
    refused = threading.Event()

    def copying(file: LocalFile, source: CopySource) -> Callable[[], None]:
        def copy() -> None:
            if refused.is_set():
                return
            try:
                container.copy(prefix + file.name, source, file)
            except ServiceError:
                refused.set()
            else:
                copied.add(file)

        return copy

    tasks = [Task(file.name, file.size, copying(file, source)) for file, source in files.items()]
    run_all(tasks, WORKERS, Progress("Copying", len(tasks), sum(file.size for file in files)))
    return copied


def send_files(container: Container, files: list[LocalFile], prefix: str, shown: str) -> None:
    """Send files below `prefix`, several at once, each with its MD5 for storage to check.

    A blob that is sent twice is replaced by the same bytes, so that a lost answer does not matter.
    Raises `OutsideError` that names the file which could not be sent.
    """
    blocks = {file.name: _block_ids(file) for file in files if file.size > SINGLE_PUT_BYTES}
    tasks = []
    for file in files:
        if file.name in blocks:
            tasks += [
                Task(
                    file.name, BLOCK_BYTES, _sending_block(container, file, prefix, shown, i, block)
                )
                for i, block in enumerate(blocks[file.name])
            ]
        else:
            tasks.append(Task(file.name, file.size, _sending(container, file, prefix, shown)))
    run_all(tasks, WORKERS, Progress("Sending", len(tasks), sum(file.size for file in files)))
    commits = [
        Task(file.name, 0, _committing(container, file, prefix, shown, blocks[file.name]))
        for file in files
        if file.name in blocks
    ]
    run_all(commits, WORKERS, Progress("Sending", len(commits), 0))


def _sending(container: Container, file: LocalFile, prefix: str, shown: str) -> Callable[[], None]:
    def send() -> None:
        with _Naming(shown, file):
            container.put(prefix + file.name, file.path.read_bytes())

    return send


def _sending_block(
    container: Container, file: LocalFile, prefix: str, shown: str, index: int, block: str
) -> Callable[[], None]:
    def send() -> None:
        with _Naming(shown, file):
            with open(file.path, "rb") as source:
                source.seek(index * BLOCK_BYTES)
                content = source.read(BLOCK_BYTES)
            container.put_block(prefix + file.name, block, content)

    return send


def _committing(
    container: Container, file: LocalFile, prefix: str, shown: str, blocks: list[str]
) -> Callable[[], None]:
    def send() -> None:
        with _Naming(shown, file):
            container.put_block_list(prefix + file.name, blocks, file_md5(file.path))

    return send


class _Naming:
    """Tells which file an error is about."""

    def __init__(self, shown: str, file: LocalFile) -> None:
        self._shown = shown
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, ServiceError):
            raise ServiceError(
                f"{self._shown}{self._file.name}",
                f"the file could not be sent: {error.what}",
                error.status_code,
                error.code,
            ) from error
        if isinstance(error, OSError):
            raise OutsideError(
                f"{self._shown}{self._file.name}",
                f"the file could not be read: {error.strerror}",
            ) from error


def _block_ids(file: LocalFile) -> list[str]:
    count = -(-file.size // BLOCK_BYTES)
    # All of one length, as storage wants them.
    return [base64.b64encode(b"%08d" % index).decode() for index in range(count)]


def _moment(text: str) -> float:
    return parsedate_to_datetime(text).timestamp() if text else 0.0


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def file_md5(path: Path) -> str:
    """MD5 of a file as storage writes it, in base64."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return base64.b64encode(digest.digest()).decode()


def sas_of_key(
    account: str, container: str, key: str, permissions: str = "rwl", hours: float = _SAS_HOURS
) -> str:
    """A signature for all of a container, made from the account's key.

    It has no start, so that a clock which goes a little fast does not matter.
    https://learn.microsoft.com/rest/api/storageservices/create-service-sas
    """
    end = datetime.now(timezone.utc) + timedelta(hours=hours)
    expiry = end.strftime("%Y-%m-%dT%H:%MZ")
    fields = [permissions, "", expiry, f"/blob/{account}/{container}"]
    # identifier, IP, protocol, version, resource, snapshot time, encryption scope, five headers
    fields += ["", "", "https", VERSION, "c", "", "", "", "", "", "", ""]
    signature = hmac.new(base64.b64decode(key), "\n".join(fields).encode(), hashlib.sha256)
    return urlencode(
        {
            "sp": permissions,
            "se": expiry,
            "spr": "https",
            "sv": VERSION,
            "sr": "c",
            "sig": base64.b64encode(signature.digest()).decode(),
        }
    )


def is_safe_name(name: str) -> bool:
    """Whether a blob's name is a path that stays below the folder that it is written to."""
    return not re.search(r"(^|/)\.\.?(/|$)|^/|//|\0|\\", name) and bool(name)

"""Blobs of one container, by the documented protocol of Azure Storage.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Callable, Iterator
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from azureml_jobs.azure.connection import Answer, Connection, ServiceError
from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.errors import OutsideError
from azureml_jobs.progress import Progress

VERSION = "2021-12-02"
# Larger files go up in blocks, several at once.
SINGLE_PUT_BYTES = 16 << 20
BLOCK_BYTES = 8 << 20
WORKERS = 32
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
        accept: Callable[[int], bool] = lambda status: 200 <= status < 300,
        sink: Callable[[bytes], None] | None = None,
    ) -> Answer:
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
            retry_also=_ALSO_TRANSIENT if method == "PUT" else frozenset(),
        )


def send_files(
    container: Container, files: list[LocalFile], prefix: str, shown: str
) -> list[LocalFile]:
    """Send files below `prefix`, several at once, each with its MD5 for storage to check; which.

    Those that an earlier attempt brought there are not sent again. A blob that is sent twice is
    replaced by the same bytes, so that a lost answer does not matter. Raises `OutsideError` that
    names the file which could not be sent.
    """
    files = _missing(container, files, prefix)
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
    return files


def _missing(container: Container, files: list[LocalFile], prefix: str) -> list[LocalFile]:
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


def sas_of_key(account: str, container: str, key: str) -> str:
    """A signature for all of a container, made from the account's key, for some hours.

    https://learn.microsoft.com/rest/api/storageservices/create-service-sas
    """
    now = datetime.now(timezone.utc)
    # A clock that goes a little fast shall not make it invalid at first.
    start, end = (
        moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        for moment in (now - timedelta(minutes=15), now + timedelta(hours=_SAS_HOURS))
    )
    permissions = "rwl"
    fields = [permissions, start, end, f"/blob/{account}/{container}"]
    # identifier, IP, protocol, version, resource, snapshot time, encryption scope, five headers
    fields += ["", "", "https", VERSION, "c", "", "", "", "", "", "", ""]
    signature = hmac.new(base64.b64decode(key), "\n".join(fields).encode(), hashlib.sha256)
    return urlencode(
        {
            "sp": permissions,
            "st": start,
            "se": end,
            "spr": "https",
            "sv": VERSION,
            "sr": "c",
            "sig": base64.b64encode(signature.digest()).decode(),
        }
    )


def is_safe_name(name: str) -> bool:
    """Whether a blob's name is a path that stays below the folder that it is written to."""
    return not re.search(r"(^|/)\.\.?(/|$)|^/|//|\0|\\", name) and bool(name)

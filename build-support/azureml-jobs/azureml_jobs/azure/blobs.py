"""Blobs of one container, by the documented protocol of Azure Storage.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from azureml_jobs.azure.answers import Response, ServiceError, WrongAnswer, of_storage
from azureml_jobs.azure.connection import Connection

_VERSION = "2021-12-02"
# The same resource in every cloud of Microsoft:
# https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory
SCOPE = "https://storage.azure.com/.default"
_SIGNED_HOURS = 12.0
# https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url: limits of its source.
_COPY_BYTES = 256 << 20
_COPY_URL_LENGTH = 2048
# How long storage may take for a copy, before the file is sent instead.
_COPY_SECONDS = 5.0
_COPY_RATE = 20e6
# A signature may not be known everywhere yet, and storage answers 409 while it makes room.
_ALSO_TRANSIENT = frozenset({409})


@dataclass(frozen=True)
class Blob:
    """`md5` is empty where storage does not know it. A blob that `grows` is appended to: a log.

    `changed` is in seconds since 1970.
    """

    name: str
    size: int
    md5: str
    etag: str
    grows: bool
    changed: float


@dataclass(frozen=True)
class CopySource:
    """A blob elsewhere in the account. `url` holds a signature, or `token` is the user's own."""

    url: str
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request to copy from it, without the MD5."""
        headers = {"x-ms-copy-source": self.url, "x-ms-requires-sync": "true"}
        if self.token:
            headers["x-ms-copy-source-authorization"] = f"Bearer {self.token}"
        return headers

    def saves_bytes(self, size: int) -> bool:
        """Return whether a file of `size` bytes can be copied, by a smaller request than itself."""
        cost = sum(len(name) + len(value) for name, value in self.headers.items())
        return cost < size <= _COPY_BYTES and len(self.url) <= _COPY_URL_LENGTH


class Container:
    """`address` is `https://account.blob…/container`; `sas` the query that allows access.

    Without a `sas` the user's own token is used.
    """

    def __init__(self, connection: Connection, address: str, sas: str) -> None:
        self.address = address.rstrip("/")
        self._connection = connection
        self._sas = sas

    def put(self, name: str, content: bytes) -> None:
        headers = {"x-ms-blob-type": "BlockBlob", "Content-MD5": _md5(content)}
        self._send("PUT", name, body=content, headers=headers)

    def copy(self, name: str, source: CopySource, file: Path) -> None:
        """Let storage copy a blob of its account that has the same content as `file`.

        Storage compares the MD5, and the new blob has that of its source. Raises `ServiceError`.
        """
        response = self._send(
            "PUT",
            name,
            headers={**source.headers, "x-ms-source-content-md5": file_md5(file)},
            accept=(202,),
            retry_also=frozenset(),
            patience=_COPY_SECONDS + file.stat().st_size / _COPY_RATE,
        )
        status = response.headers.get("x-ms-copy-status")
        if status != "success":
            raise ServiceError(self._url(name), f"the status of the copy is {status or 'unknown'}")

    def put_block(self, name: str, block: str, content: bytes) -> None:
        query = {"comp": "block", "blockid": block}
        self._send("PUT", name, query, body=content, headers={"Content-MD5": _md5(content)})

    def put_block_list(self, name: str, blocks: list[str], md5: str) -> None:
        listed = "".join(f"<Latest>{block}</Latest>" for block in blocks)
        text = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'
        headers = {"x-ms-blob-content-md5": md5, "Content-Type": "application/xml"}
        self._send("PUT", name, {"comp": "blocklist"}, body=text.encode(), headers=headers)

    def list(self, prefix: str) -> Iterator[Blob]:
        """Yield all blobs whose names begin with `prefix`, other than those that mark folders."""
        query = {"restype": "container", "comp": "list", "prefix": prefix, "include": "metadata"}
        marker = ""
        while True:
            more = {"marker": marker} if marker else {}
            blobs, marker = self._send("GET", "", {**query, **more}, check=_page).value
            yield from blobs
            if not marker:
                return

    def read(self, blob: Blob, start: int, sink: Callable[[bytes], object]) -> None:
        """Give `sink` the bytes of a blob from `start` on, up to the size that was listed.

        Raises `ServiceError` 412 when the blob was replaced; one that grows may have grown.
        """
        headers = {"Range": f"bytes={start}-{blob.size - 1}"}
        if blob.etag and not blob.grows:
            headers["If-Match"] = f'"{blob.etag}"'

        def check(response: Response) -> None:
            of_storage(response)
            if not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
                raise WrongAnswer("it is another part of the blob")

        self._send("GET", blob.name, headers=headers, sink=sink, check=check)

    def _url(self, name: str) -> str:
        return f"{self.address}/{quote(name)}" if name else self.address

    def _send(
        self,
        method: str,
        name: str,
        query: Mapping[str, str] = {},
        headers: Mapping[str, str] = {},
        **how: Any,
    ) -> Response:
        """Send a request about a blob; `how` as for `Connection.request`."""
        arguments = "&".join(part for part in (urlencode(query), self._sas) if part)
        # Of a write, nothing else says that the bytes are there.
        of_writes = {"accept": (201,), "retry_also": _ALSO_TRANSIENT} if method == "PUT" else {}
        return self._connection.request(
            method,
            f"{self._url(name)}?{arguments}" if arguments else self._url(name),
            scope=None if self._sas else SCOPE,
            headers={"x-ms-version": _VERSION, **headers},
            **{"check": of_storage, **of_writes, **how},
        )


def _page(response: Response) -> tuple[list[Blob], str]:
    """Return the blobs of a listing, and the marker of the next one. Raises `WrongAnswer`."""
    of_storage(response)
    try:
        listing = ElementTree.fromstring(response.body)
        blobs = [_blob(entry) for entry in listing.iter("Blob") if not _is_folder(entry)]
    except (ElementTree.ParseError, ValueError, TypeError) as error:
        raise WrongAnswer("it is no list of blobs") from error
    if listing.tag != "EnumerationResults":
        raise WrongAnswer("it is no list of blobs")
    return blobs, listing.findtext("NextMarker") or ""


def _is_folder(entry: ElementTree.Element) -> bool:
    """Return whether a blob marks a folder of Data Lake; azure-ai-ml looks at the same mark."""
    name = entry.findtext("Name") or ""
    return name.endswith("/") or entry.find("Metadata/hdi_isfolder") is not None


def _blob(entry: ElementTree.Element) -> Blob:
    changed = entry.findtext("Properties/Last-Modified")
    return Blob(
        entry.findtext("Name") or "",
        int(entry.findtext("Properties/Content-Length") or 0),
        entry.findtext("Properties/Content-MD5") or "",
        (entry.findtext("Properties/Etag") or "").strip('"'),
        entry.findtext("Properties/BlobType") == "AppendBlob",
        parsedate_to_datetime(changed).timestamp() if changed else 0.0,
    )


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def file_md5(path: Path) -> str:
    """Return the MD5 of a file as storage writes it, in base64."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return base64.b64encode(digest.digest()).decode()


def sas_of_key(
    account: str, container: str, key: str, permissions: str = "rwl", hours: float = _SIGNED_HOURS
) -> str:
    """Return a shared access signature for all of a container, made from the account's key.

    It has no start, so that a clock which is a little fast does not matter.
    https://learn.microsoft.com/rest/api/storageservices/create-service-sas
    """
    end = datetime.now(timezone.utc) + timedelta(hours=hours)
    expiry = end.strftime("%Y-%m-%dT%H:%MZ")
    fields = [permissions, "", expiry, f"/blob/{account}/{container}"]
    # identifier, IP, protocol, version, resource, snapshot time, encryption scope, five headers
    fields += ["", "", "https", _VERSION, "c", "", "", "", "", "", "", ""]
    signature = hmac.new(base64.b64decode(key), "\n".join(fields).encode(), hashlib.sha256)
    return urlencode(
        {
            "sp": permissions,
            "se": expiry,
            "spr": "https",
            "sv": _VERSION,
            "sr": "c",
            "sig": base64.b64encode(signature.digest()).decode(),
        }
    )

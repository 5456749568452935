"""Headers of requests to blob storage, and of its responses about blobs."""

from __future__ import annotations

import re
import uuid
from email.utils import formatdate
from urllib.parse import unquote
from xml.sax.saxutils import escape

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import HttpRequest
from azureml_standin.state import BlobRecord

_LARGEST_MD5_RANGE = 4 * 1024 * 1024
_METADATA = "x-ms-meta-"
ENCRYPTED = {"x-ms-request-server-encrypted": "true"}


def check_md5(request: HttpRequest, md5: str) -> None:
    given = request.headers.get("content-md5") or request.headers.get("x-ms-blob-content-md5")
    if given and given != md5:
        raise StorageError(
            400, "Md5Mismatch", "The MD5 value specified in the request did not match."
        )


def check_conditions(request: HttpRequest, blob: BlobRecord | None) -> None:
    """https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers…"""
    reads = request.method in ("GET", "HEAD")
    unless = request.headers.get("if-none-match")
    if unless and blob and (unless == "*" or unless == blob.etag):
        if reads:
            raise StorageError(304, "ConditionNotMet", "The condition is not met.")
        if unless == "*":
            raise StorageError(409, "BlobAlreadyExists", "The specified blob already exists.")
        raise StorageError(412, "ConditionNotMet", "The condition is not met.")
    only = request.headers.get("if-match")
    if only and (blob is None or only not in ("*", blob.etag)):
        raise StorageError(412, "ConditionNotMet", "The condition is not met.")


def asked_range(request: HttpRequest, size: int) -> tuple[int, int]:
    """Return start, and end behind the last byte. Raises `StorageError` 416 outside of the blob."""
    asked = request.headers.get("x-ms-range") or request.headers.get("range")
    if not asked:
        return 0, size
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.strip())
    if match is None:
        raise StorageError(400, "InvalidHeaderValue", f"Invalid range: {asked!r}")
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if start >= size or end <= start:
        raise StorageError(
            416, "InvalidRange", "The range is invalid.", Content_Range=f"bytes */{size}"
        )
    if (
        request.headers.get("x-ms-range-get-content-md5", "").lower() == "true"
        and end - start > _LARGEST_MD5_RANGE
    ):
        raise StorageError(400, "OutOfRangeInput", "An MD5 is made of 4 MiB at most.")
    return start, end


def metadata_of(request: HttpRequest) -> dict[str, str]:
    return {
        unquote(key[len(_METADATA) :]): value
        for key, value in request.headers.items()
        if key.startswith(_METADATA)
    }


def metadata_headers(blob: BlobRecord) -> dict[str, str]:
    return {f"{_METADATA}{key}": value for key, value in blob.metadata.items()}


def identity(blob: BlobRecord) -> dict[str, str]:
    return {"ETag": blob.etag, "Last-Modified": formatdate(blob.modified, usegmt=True)}


def properties(blob: BlobRecord) -> dict[str, str]:
    headers = {
        **identity(blob),
        **metadata_headers(blob),
        "Content-Type": blob.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": blob.kind,
        "x-ms-server-encrypted": "true",
        "x-ms-creation-time": formatdate(blob.modified, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
    }
    if blob.md5:
        headers["Content-MD5"] = blob.md5
    return headers


def listed(blob: BlobRecord, with_metadata: bool) -> str:
    moment = formatdate(blob.modified, usegmt=True)
    metadata = ""
    if with_metadata:
        values = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in blob.metadata.items())
        metadata = f"<Metadata>{values}</Metadata>"
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Creation-Time>{moment}</Creation-Time><Last-Modified>{moment}</Last-Modified>"
        f"<Etag>{escape(blob.etag.strip(chr(34)))}</Etag>"
        f"<Content-Length>{blob.size}</Content-Length>"
        f"<Content-Type>{escape(blob.content_type)}</Content-Type>"
        f"<Content-MD5>{blob.md5}</Content-MD5><BlobType>{blob.kind}</BlobType>"
        "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
        f"<ServerEncrypted>true</ServerEncrypted></Properties>{metadata}</Blob>"
    )


def no_blob() -> StorageError:
    return StorageError(404, "BlobNotFound", "The specified blob does not exist.")


def new_etag() -> str:
    return f'"0x{uuid.uuid4().hex[:16].upper()}"'


def number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise StorageError(400, "OutOfRangeQueryParameterValue", f"{text!r}: {least} to {most}.")
    return int(text)

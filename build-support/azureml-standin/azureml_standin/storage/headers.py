"""Headers of requests to blob storage, and of its responses about blobs."""

from __future__ import annotations

import re
import uuid
from email.utils import formatdate
from urllib.parse import unquote

from azureml_standin.http.messages import HttpRequest, StorageError
from azureml_standin.state import BlobRecord

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
    if request.headers.get("if-none-match") == "*" and blob and request.method == "PUT":
        raise StorageError(409, "BlobAlreadyExists", "The specified blob already exists.")
    only = request.headers.get("if-match")
    if only and (blob is None or only not in ("*", blob.etag)):
        raise StorageError(412, "ConditionNotMet", "The condition is not met.")


def asked_range(request: HttpRequest, size: int) -> tuple[int, int] | None:
    """Return start, and end behind the last byte. Raises `StorageError` 416 outside of the blob."""
    asked = request.headers.get("x-ms-range") or request.headers.get("range")
    if not asked:
        return None
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.strip())
    start, end = (int(match[1]), int(match[2] or size) + 1) if match else (size, 0)
    if start >= size:
        raise StorageError(
            416, "InvalidRange", "The range is invalid.", Content_Range=f"bytes */{size}"
        )
    return start, min(end, size)


def metadata_of(request: HttpRequest) -> dict[str, str]:
    return {
        unquote(key[len(_METADATA) :]): value
        for key, value in request.headers.items()
        if key.startswith(_METADATA)
    }


def identity(blob: BlobRecord) -> dict[str, str]:
    return {"ETag": blob.etag, "Last-Modified": formatdate(blob.modified, usegmt=True)}


def properties(blob: BlobRecord) -> dict[str, str]:
    headers = {
        **identity(blob),
        **{f"{_METADATA}{key}": value for key, value in blob.metadata.items()},
        "Content-Type": blob.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": blob.kind,
        "x-ms-creation-time": formatdate(blob.modified, usegmt=True),
    }
    if blob.md5:
        headers["Content-MD5"] = blob.md5
    return headers


def no_blob() -> StorageError:
    return StorageError(404, "BlobNotFound", "The specified blob does not exist.")


def new_etag() -> str:
    return f'"0x{uuid.uuid4().hex[:16].upper()}"'

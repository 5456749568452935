"""Requests for blobs: put them whole or in blocks, copy, read and list them.

Source of names, headers and errors: https://learn.microsoft.com/rest/api/storageservices/
"""

from __future__ import annotations

import itertools
import re
import time
from email.utils import formatdate
from functools import partial
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from azureml_standin.clouds import blob_path
from azureml_standin.http.messages import (
    XML,
    HttpRequest,
    HttpResponse,
    StorageError,
    file_response,
)
from azureml_standin.state import OCTETS, BlobRecord, file_chunks, file_md5, new_etag
from azureml_standin.storage.blobs import Blobs

_METADATA = "x-ms-meta-"
_MOST_LISTED = 5000
_LONGEST_ADDRESS = 2048
_LARGEST_SOURCE = 256 << 20
# What serves a method and `comp`, and the permissions of which a signature needs one.
_OPERATIONS = {
    ("PUT", ""): ("put", "cw"),
    ("PUT", "block"): ("put_block", "cw"),
    ("PUT", "blocklist"): ("put_block_list", "cw"),
    ("PUT", "metadata"): ("put_metadata", "w"),
    ("GET", ""): ("get", "r"),
    ("HEAD", ""): ("get", "r"),
    ("GET", "list"): ("list_blobs", "l"),
}


class BlobStorage(Blobs):
    """The storage account as clients reach it."""

    def respond(self, request: HttpRequest, path: str) -> HttpResponse:
        container, _, name = path.lstrip("/").partition("/")
        comp = request.query.get("comp", "")
        operation, permissions = _OPERATIONS.get((request.method, comp), ("", ""))
        if not operation or bool(name) == (operation == "list_blobs"):
            message = f"The stand-in does not serve {request.method} with comp={comp!r} here."
            raise StorageError(400, "InvalidQueryParameterValue", message)
        self.access.check(request, container, name, permissions)
        if not self.state.has_container(container):
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        response: HttpResponse = getattr(self, operation)(request, container, name)
        return response

    def put(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        given, metadata = request.headers, _metadata(request)
        kind = given.get("x-ms-blob-content-type") or given.get("content-type") or OCTETS
        if "x-ms-copy-source" in given:
            source = self._copied_source(request)
            file, _, size = self.keep(file_chunks(source.file))
            kind, metadata = source.content_type, metadata or dict(source.metadata)
            md5, status, headers = source.md5, 202, {"x-ms-copy-status": "success"}
        else:
            if given.get("x-ms-blob-type") != "BlockBlob":
                raise _invalid("The stand-in keeps block blobs only.")
            file, md5, size = self.keep(request.chunks())
            _check_md5(request, md5)
            status, headers = 201, {}
        blob = BlobRecord(container, name, size, md5, file, kind, metadata)
        with self.state.lock:
            _check_conditions(request, self.blob(container, name))
            self.state.put_blob(blob)
        return HttpResponse(status, headers={**_identity(blob), **headers})

    def put_block(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        file, md5, _ = self.keep(request.chunks())
        _check_md5(request, md5)
        kind, block = f"blocks of {container}/{name}", request.query["blockid"]
        self.state.put_document(kind, block, {"block": block, "sha256": file.name})
        return HttpResponse(201)

    def put_block_list(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        """Make a blob of blocks that were put for it; of an earlier blob there are none."""
        listed = [(each.text or "").strip() for each in ElementTree.fromstring(request.read())]
        md5 = request.headers.get("x-ms-blob-content-md5", "")
        type_ = request.headers.get("x-ms-blob-content-type", OCTETS)
        with self.state.lock:
            _check_conditions(request, self.blob(container, name))
            kind = f"blocks of {container}/{name}"
            waiting = {each["block"]: each["sha256"] for each in self.state.documents(kind)}
            if set(listed) - set(waiting):
                raise StorageError(400, "InvalidBlockList", "The block list is invalid.")
            files = [self.state.content_file(waiting[block]) for block in listed]
            file, _, size = self.keep(itertools.chain.from_iterable(map(file_chunks, files)))
            for block in waiting:
                self.state.remove_document(kind, block)
            blob = BlobRecord(container, name, size, md5, file, type_, _metadata(request))
            self.state.put_blob(blob)
        return HttpResponse(201, headers=_identity(blob))

    def put_metadata(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        with self.state.lock:
            blob = _found(self.state.blob(container, name))
            _check_conditions(request, blob)
            blob.metadata = _metadata(request)
            blob.etag, blob.modified = new_etag(), time.time()
            self.state.put_blob(blob)
        return HttpResponse(200, headers=_identity(blob))

    def get(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        blob = _found(self.blob(container, name))
        _check_conditions(request, blob)
        headers = {
            **_identity(blob),
            **{f"{_METADATA}{key}": value for key, value in blob.metadata.items()},
            "Content-Type": blob.content_type,
            "x-ms-blob-type": blob.kind,
        }
        asked = None if request.method == "HEAD" else _asked_range(request, blob.size)
        if blob.md5:
            headers["x-ms-blob-content-md5" if asked else "Content-MD5"] = blob.md5
        start, end = asked or (0, blob.size)
        response = file_response(blob.file, start, end - start, headers)
        if asked:
            response.status = 206
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        return response

    def list_blobs(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        query = request.query
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        most = min(int(query.get("maxresults") or _MOST_LISTED), _MOST_LISTED)
        found = [blob for blob in self.blobs(container, prefix) if blob.name >= marker]
        following = found[most].name if len(found) > most else ""
        listed = partial(_listed, with_metadata="metadata" in query.get("include", "").split(","))
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<EnumerationResults ContainerName={quoteattr(container)}>"
            f"<Prefix>{escape(prefix)}</Prefix><MaxResults>{most}</MaxResults>"
            f"<Blobs>{''.join(map(listed, found[:most]))}</Blobs>"
            f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
        )
        return HttpResponse(200, text.encode("utf-8"), {"Content-Type": XML})

    def _copied_source(self, request: HttpRequest) -> BlobRecord:
        """Return the blob that a request copies, if the caller may read it."""
        url, given = request.headers["x-ms-copy-source"], request.headers
        parts = urlsplit(url)
        # Azure's own client writes `True`.
        if given.get("x-ms-requires-sync", "").lower() != "true" or request.read():
            raise _invalid("The stand-in copies at once, and no body.")
        headers = {
            "host": parts.netloc,
            "x-ms-version": given.get("x-ms-version", ""),
            "authorization": given.get("x-ms-copy-source-authorization", ""),
        }
        reading = HttpRequest("GET", f"{parts.path}?{parts.query}", headers)
        path = blob_path(reading)
        if len(url) > _LONGEST_ADDRESS or path is None:
            raise _invalid("The source is not in this account.")
        container, _, name = path.lstrip("/").partition("/")
        try:
            self.access.check(reading, container, name, "r")
            source = _found(self.blob(container, name))
        except StorageError as error:
            # With the status that reading the source has.
            raise StorageError(error.status, "CannotVerifyCopySource", error.message) from None
        # Of an empty one: https://github.com/Azure/azure-sdk-for-js/issues/6577
        if not 0 < source.size <= _LARGEST_SOURCE:
            raise StorageError(400, "CannotVerifyCopySource", "The source is empty or too large.")
        md5 = given.get("x-ms-source-content-md5")
        if md5 and md5 != file_md5(source.file):
            raise StorageError(400, "Md5Mismatch", "The MD5 of the source is different.")
        return source


def _listed(blob: BlobRecord, with_metadata: bool) -> str:
    modified = formatdate(blob.modified, usegmt=True)
    metadata = "".join(
        f"<{key}>{escape(value)}</{key}>" for key, value in blob.metadata.items() if with_metadata
    )
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Last-Modified>{modified}</Last-Modified>"
        f"<Etag>{escape(blob.etag.strip(chr(34)))}</Etag>"
        f"<Content-Length>{blob.size}</Content-Length>"
        f"<Content-Type>{escape(blob.content_type)}</Content-Type>"
        f"<Content-MD5>{blob.md5}</Content-MD5><BlobType>{blob.kind}</BlobType>"
        f"</Properties><Metadata>{metadata}</Metadata></Blob>"
    )


def _invalid(message: str) -> StorageError:
    return StorageError(400, "InvalidHeaderValue", message)


def _found(blob: BlobRecord | None) -> BlobRecord:
    if blob is None:
        raise StorageError(404, "BlobNotFound", "The specified blob does not exist.")
    return blob


def _check_md5(request: HttpRequest, md5: str) -> None:
    given = request.headers.get("content-md5") or request.headers.get("x-ms-blob-content-md5")
    if given and given != md5:
        raise StorageError(400, "Md5Mismatch", "The MD5 specified in the request did not match.")


def _check_conditions(request: HttpRequest, blob: BlobRecord | None) -> None:
    """https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers…"""
    if request.headers.get("if-none-match") == "*" and blob and request.method == "PUT":
        raise StorageError(409, "BlobAlreadyExists", "The specified blob already exists.")
    only = request.headers.get("if-match")
    if only and (blob is None or only not in ("*", blob.etag)):
        raise StorageError(412, "ConditionNotMet", "The condition is not met.")


def _asked_range(request: HttpRequest, size: int) -> tuple[int, int] | None:
    """Return start, and end behind the last byte. Raises `StorageError` 416 outside of the blob."""
    asked = request.headers.get("x-ms-range") or request.headers.get("range")
    if not asked:
        return None
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.strip())
    start, end = (int(match[1]), int(match[2] or size) + 1) if match else (size, 0)
    if start >= size:
        span = f"bytes */{size}"
        raise StorageError(416, "InvalidRange", "The range is invalid.", {"Content-Range": span})
    return start, min(end, size)


def _metadata(request: HttpRequest) -> dict[str, str]:
    return {
        unquote(key[len(_METADATA) :]): value
        for key, value in request.headers.items()
        if key.startswith(_METADATA)
    }


def _identity(blob: BlobRecord) -> dict[str, str]:
    return {"ETag": blob.etag, "Last-Modified": formatdate(blob.modified, usegmt=True)}

"""Requests for blobs: put them whole or in blocks, copy, read and list them.

Source of names, headers and errors: https://learn.microsoft.com/rest/api/storageservices/
"""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from azureml_standin.http.messages import (
    XML,
    HttpRequest,
    HttpResponse,
    RequestBody,
    StorageError,
    file_response,
)
from azureml_standin.state import BlobRecord
from azureml_standin.storage.addresses import address_of
from azureml_standin.storage.headers import (
    ENCRYPTED,
    asked_range,
    check_conditions,
    check_md5,
    identity,
    metadata_of,
    new_etag,
    no_blob,
    properties,
)
from azureml_standin.storage.live_files import range_md5

if TYPE_CHECKING:
    from azureml_standin.storage.blobs import BlobStorage


def put(storage: BlobStorage, request: HttpRequest, container: str, name: str) -> HttpResponse:
    source = None
    if "x-ms-copy-source" in request.headers:
        source = copied_source(storage, request)
        sha256, _, size = storage.keep(RequestBody(files=[source.file]))
        md5, status, headers = source.md5, 202, {"x-ms-copy-status": "success"}
    else:
        if request.headers.get("x-ms-blob-type") != "BlockBlob":
            raise StorageError(400, "InvalidHeaderValue", "The stand-in keeps block blobs only.")
        sha256, md5, size = storage.keep(request.body)
        check_md5(request, md5)
        status, headers = 201, {"Content-MD5": md5, **ENCRYPTED}
    with storage.state.lock:
        check_conditions(request, storage.blob(container, name))
        blob = storage.commit(request, container, name, sha256, md5, size, source)
    return HttpResponse(status, headers={**identity(blob), **headers})


def put_block(
    storage: BlobStorage, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    sha256, md5, _ = storage.keep(request.body)
    check_md5(request, md5)
    kind, block = _blocks(container, name), request.query["blockid"]
    storage.state.put_document(kind, block, {"block": block, "sha256": sha256})
    return HttpResponse(201, headers={"Content-MD5": md5, **ENCRYPTED})


def put_block_list(
    storage: BlobStorage, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    """Make a blob of blocks that were put for it; of an earlier blob there are none."""
    listed = [(each.text or "").strip() for each in ElementTree.fromstring(request.body.read())]
    with storage.state.lock:
        check_conditions(request, storage.blob(container, name))
        kind = _blocks(container, name)
        waiting = {each["block"]: each["sha256"] for each in storage.state.documents(kind)}
        if set(listed) - set(waiting):
            raise StorageError(400, "InvalidBlockList", "The block list is invalid.")
        files = [storage.state.content_file(waiting[block]) for block in listed]
        sha256, _, size = storage.keep(RequestBody(files=files))
        for block in waiting:
            storage.state.remove_document(kind, block)
        given = request.headers.get("x-ms-blob-content-md5", "")
        blob = storage.commit(request, container, name, sha256, given, size)
    return HttpResponse(201, headers={**identity(blob), **ENCRYPTED})


def _blocks(container: str, name: str) -> str:
    return f"blocks of {container}/{name}"


def put_metadata(
    storage: BlobStorage, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    with storage.state.lock:
        blob = storage.state.blob(container, name)
        if blob is None:
            raise no_blob()
        check_conditions(request, blob)
        blob.metadata = metadata_of(request)
        blob.etag, blob.modified = new_etag(), time.time()
        storage.state.put_blob(blob, blob.file.name)
    return HttpResponse(200, headers=identity(blob))


def get(storage: BlobStorage, request: HttpRequest, container: str, name: str) -> HttpResponse:
    blob = storage.blob(container, name)
    if blob is None:
        raise no_blob()
    check_conditions(request, blob)
    headers = properties(blob)
    if request.method == "HEAD":
        return HttpResponse(200, headers={**headers, "Content-Length": str(blob.size)})
    asked = asked_range(request, blob.size)
    start, end = asked or (0, blob.size)
    response = file_response(blob.file, start, end - start)
    response.headers.update(headers)
    if asked:
        response.status = 206
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        if blob.md5:
            response.headers["x-ms-blob-content-md5"] = response.headers.pop("Content-MD5")
    return response


_LONGEST_ADDRESS = 2048
_LARGEST_SOURCE = 256 << 20


def copied_source(storage: BlobStorage, request: HttpRequest) -> BlobRecord:
    """Return the blob that a request copies, if the caller may read it. Raises `StorageError`."""
    url, parts = request.headers["x-ms-copy-source"], urlsplit(request.headers["x-ms-copy-source"])
    # Azure's own client writes `True`.
    if request.headers.get("x-ms-requires-sync", "").lower() != "true" or request.body.size:
        raise StorageError(400, "InvalidHeaderValue", "The stand-in copies at once, and no body.")
    headers = {
        "host": parts.netloc,
        "x-ms-version": request.headers.get("x-ms-version", ""),
        "authorization": request.headers.get("x-ms-copy-source-authorization", ""),
    }
    reading = HttpRequest("GET", f"{parts.path}?{parts.query}", headers)
    address = address_of(reading)
    if len(url) > _LONGEST_ADDRESS or address is None:
        raise StorageError(400, "InvalidHeaderValue", "The source is not in this account.")
    container, _, name = address[1].lstrip("/").partition("/")
    try:
        storage.access.check(reading, address[0], container, name, "r")
        source = storage.blob(container, name)
        if source is None:
            raise no_blob()
    except StorageError as error:
        # With the status that reading the source has.
        raise StorageError(error.status, "CannotVerifyCopySource", error.message) from None
    # Of an empty one: https://github.com/Azure/azure-sdk-for-js/issues/6577
    if not 0 < source.size <= _LARGEST_SOURCE:
        raise StorageError(400, "CannotVerifyCopySource", "The source is empty or too large.")
    given = request.headers.get("x-ms-source-content-md5")
    if given and given != range_md5(source.file, 0, source.size):
        raise StorageError(400, "Md5Mismatch", "The MD5 of the source is different.")
    return source


_MOST = 5000


def list_blobs(
    storage: BlobStorage, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    query = request.query
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    most = min(int(query.get("maxresults") or _MOST), _MOST)
    found = [blob for blob in storage.blobs(container, prefix) if blob.name >= marker]
    following = found[most].name if len(found) > most else ""
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<EnumerationResults ContainerName={quoteattr(container)}>"
        f"<Prefix>{escape(prefix)}</Prefix><MaxResults>{most}</MaxResults>"
        f"<Blobs>{''.join(map(_listed, found[:most]))}</Blobs>"
        f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
    )
    return HttpResponse(200, text.encode("utf-8"), {"Content-Type": XML})


def _listed(blob: BlobRecord) -> str:
    modified = formatdate(blob.modified, usegmt=True)
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Creation-Time>{modified}</Creation-Time><Last-Modified>{modified}</Last-Modified>"
        f"<Etag>{escape(blob.etag.strip(chr(34)))}</Etag>"
        f"<Content-Length>{blob.size}</Content-Length>"
        f"<Content-Type>{escape(blob.content_type)}</Content-Type>"
        f"<Content-MD5>{blob.md5}</Content-MD5><BlobType>{blob.kind}</BlobType>"
        "</Properties></Blob>"
    )

"""Requests for blobs: put them whole or in blocks, copy and read them."""

from __future__ import annotations

import time
from xml.etree import ElementTree

from azureml_standin.http.messages import (
    HttpRequest,
    HttpResponse,
    RequestBody,
    StorageError,
    file_response,
)
from azureml_standin.storage.copies import copied_source
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
from azureml_standin.storage.store import BlobStore


def put(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
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


def put_block(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    sha256, md5, _ = storage.keep(request.body)
    check_md5(request, md5)
    storage.state.put_block(container, name, request.query["blockid"], sha256)
    return HttpResponse(201, headers={"Content-MD5": md5, **ENCRYPTED})


def put_block_list(
    storage: BlobStore, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    """Make a blob of blocks that were put for it; of an earlier blob there are none."""
    listed = [(each.text or "").strip() for each in ElementTree.fromstring(request.body.read())]
    with storage.state.lock:
        check_conditions(request, storage.blob(container, name))
        waiting = storage.state.blocks(container, name)
        if set(listed) - set(waiting):
            raise StorageError(400, "InvalidBlockList", "The block list is invalid.")
        files = [storage.state.content_file(waiting[block]) for block in listed]
        sha256, _, size = storage.keep(RequestBody(files=files))
        storage.state.forget_blocks(container, name)
        given = request.headers.get("x-ms-blob-content-md5", "")
        blob = storage.commit(request, container, name, sha256, given, size)
    return HttpResponse(201, headers={**identity(blob), **ENCRYPTED})


def put_metadata(
    storage: BlobStore, request: HttpRequest, container: str, name: str
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


def get(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
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

"""Requests for whole blobs: put, copy, read and delete them."""

from __future__ import annotations

import time

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import HttpRequest, HttpResponse, RequestBody, file_response
from azureml_standin.state import BlobRecord
from azureml_standin.storage.addresses import address_of
from azureml_standin.storage.copies import (
    check_source,
    copied,
    is_for_whole_account,
    source_request,
)
from azureml_standin.storage.headers import (
    ENCRYPTED,
    asked_range,
    check_conditions,
    check_md5,
    identity,
    metadata_headers,
    metadata_of,
    new_etag,
    no_blob,
    properties,
)
from azureml_standin.storage.live_files import range_md5
from azureml_standin.storage.store import BlobStore


def put(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    if "x-ms-copy-source" in request.headers:
        return _copy(storage, request, container, name)
    kind = request.headers.get("x-ms-blob-type")
    if kind is None:
        raise StorageError(400, "MissingRequiredHeader", "x-ms-blob-type is missing.")
    if kind != "BlockBlob":
        raise StorageError(400, "InvalidHeaderValue", "The stand-in keeps block blobs only.")
    sha256, md5, size = storage.keep(request.body)
    check_md5(request, md5)
    with storage.state.lock:
        check_conditions(request, storage.blob(container, name))
        blob = storage.commit(request, container, name, sha256, md5, size)
    return HttpResponse(201, headers={**identity(blob), "Content-MD5": md5, **ENCRYPTED})


def _copy(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    source = _copy_source(storage, request)
    with storage.state.lock:
        check_conditions(request, storage.blob(container, name))
        sha256, _, size = storage.keep(RequestBody(files=[source.file]))
        blob = storage.commit(request, container, name, sha256, source.md5, size, source)
    return copied(request, identity(blob), source.md5)


def _copy_source(storage: BlobStore, request: HttpRequest) -> BlobRecord:
    """Return the blob that a request copies from, if the caller may read it."""
    asked = source_request(request)
    address = address_of(asked)
    if address is None:
        raise StorageError(400, "InvalidHeaderValue", "The source is not in this account.")
    container, _, name = address[1].lstrip("/").partition("/")
    try:
        if not is_for_whole_account(request):
            storage.access.check(asked, address[0], container, name, "r")
        if not storage.state.has_container(container):
            raise StorageError(404, "ContainerNotFound", "The container does not exist.")
        source = storage.blob(container, name)
        if source is None:
            raise no_blob()
    except StorageError as error:
        # With the status that reading the source has.
        raise StorageError(error.status, "CannotVerifyCopySource", error.message) from None
    check_source(request, source)
    return source


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
    start, end = asked_range(request, blob.size)
    headers = properties(blob)
    is_part = (start, end) != (0, blob.size) or "x-ms-range" in request.headers
    if is_part or "range" in request.headers:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        if blob.md5:
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
        if request.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
            headers["Content-MD5"] = range_md5(blob.file, start, end)
    if request.method == "HEAD":
        return HttpResponse(200, headers={**properties(blob), "Content-Length": str(blob.size)})
    response = file_response(blob.file, start, end - start)
    response.status = 206 if "Content-Range" in headers else 200
    response.headers.update(headers)
    return response


def get_metadata(
    storage: BlobStore, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    blob = storage.blob(container, name)
    if blob is None:
        raise no_blob()
    return HttpResponse(200, headers=identity(blob) | metadata_headers(blob))


def delete(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    with storage.state.lock:
        blob = storage.state.blob(container, name)
        if blob is None:
            raise no_blob()
        check_conditions(request, blob)
        storage.state.remove_blob(container, name)
    return HttpResponse(202)

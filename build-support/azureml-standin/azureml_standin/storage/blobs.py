"""Blob storage as clients reach it, and the blobs, whoever asks for them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from email.utils import formatdate

from azureml_standin.http.messages import HttpRequest, HttpResponse, RequestBody, StorageError
from azureml_standin.state import BlobRecord, State
from azureml_standin.storage import blob_requests
from azureml_standin.storage.access import StorageAccess
from azureml_standin.storage.headers import metadata_of, new_etag
from azureml_standin.storage.live_files import LiveBlobs, base64_of

_VERSION = "2025-11-05"
_Operation = Callable[["BlobStorage", HttpRequest, str, str], HttpResponse]
# What serves a method and `comp`, and the permissions of which a signature needs one.
_OPERATIONS: dict[tuple[str, str], tuple[_Operation, str]] = {
    ("PUT", ""): (blob_requests.put, "cw"),
    ("PUT", "block"): (blob_requests.put_block, "cw"),
    ("PUT", "blocklist"): (blob_requests.put_block_list, "cw"),
    ("PUT", "metadata"): (blob_requests.put_metadata, "w"),
    ("GET", ""): (blob_requests.get, "r"),
    ("HEAD", ""): (blob_requests.get, "r"),
    ("GET", "list"): (blob_requests.list_blobs, "l"),
}


class BlobStorage:
    """The storage account. `live` adds blobs that are not in the database."""

    def __init__(self, state: State, access: StorageAccess) -> None:
        self.state = state
        self.access = access
        self.live: list[LiveBlobs] = []

    def blob(self, container: str, name: str) -> BlobRecord | None:
        found = self.state.blob(container, name)
        for live in self.live:
            found = found or live.blob(container, name)
        return found

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        """Return blobs whose name begins with `prefix`, in the order of names."""
        found = {blob.name: blob for live in self.live for blob in live.blobs(container, prefix)}
        found.update((blob.name, blob) for blob in self.state.blobs(container, prefix))
        return [found[name] for name in sorted(found)]

    def keep(self, body: RequestBody) -> tuple[str, str, int]:
        """Keep bytes under their digest; return sha256 (hex), MD5 (base64) and size."""
        descriptor, new = tempfile.mkstemp(prefix=".new-", dir=self.state.contents)
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        try:
            with open(descriptor, "wb") as file:
                for chunk in body.chunks():
                    for take in (file.write, sha256.update, md5.update):
                        take(chunk)
            final = self.state.content_file(sha256.hexdigest())
            final.parent.mkdir(exist_ok=True)
            os.replace(new, final)
        except BaseException:
            os.unlink(new)
            raise
        return sha256.hexdigest(), base64_of(md5.digest()), body.size

    def commit(
        self,
        request: HttpRequest,
        container: str,
        name: str,
        sha256: str,
        md5: str,
        size: int,
        source: BlobRecord | None = None,
    ) -> BlobRecord:
        """Make a blob of kept bytes, described by a request or by the source of a copy."""
        given = request.headers
        metadata = metadata_of(request)
        content_type = given.get("x-ms-blob-content-type") or given.get("content-type")
        blob = BlobRecord(
            container,
            name,
            size,
            md5,
            new_etag(),
            time.time(),
            self.state.content_file(sha256),
            (source.content_type if source else content_type) or "application/octet-stream",
            source.metadata if source and not metadata else metadata,
        )
        self.state.put_blob(blob, sha256)
        return blob

    def respond(self, request: HttpRequest, account: str, path: str) -> HttpResponse:
        container, _, name = path.lstrip("/").partition("/")
        comp = request.query.get("comp", "")
        operation, permissions = _OPERATIONS.get((request.method, comp), (None, ""))
        if operation is None or bool(name) == (operation is blob_requests.list_blobs):
            raise StorageError(
                400,
                "InvalidQueryParameterValue",
                f"The stand-in does not serve {request.method} with comp={comp!r} here.",
            )
        self.access.check(request, account, container, name, permissions)
        if not self.state.has_container(container):
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        response = operation(self, request, container, name)
        response.headers.setdefault("x-ms-version", _VERSION)
        response.headers.setdefault("Date", formatdate(usegmt=True))
        return response

"""Blob storage as clients reach it, and the blobs, whoever asks for them."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from email.utils import formatdate

from azureml_standin.http.messages import HttpRequest, HttpResponse, StorageError
from azureml_standin.state import BlobRecord, State
from azureml_standin.storage import blob_requests
from azureml_standin.storage.access import StorageAccess

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
    """The storage account. `live` returns blobs by prefix that are files of jobs, as they grow."""

    live: Callable[[str, str], Iterable[BlobRecord]]

    def __init__(self, state: State, access: StorageAccess) -> None:
        self.state = state
        self.access = access

    def blob(self, container: str, name: str) -> BlobRecord | None:
        live = (blob for blob in self.live(container, name) if blob.name == name)
        return self.state.blob(container, name) or next(live, None)

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        """Return blobs whose name begins with `prefix`, in the order of names."""
        found = {blob.name: blob for blob in self.live(container, prefix)}
        found.update((blob.name, blob) for blob in self.state.blobs(container, prefix))
        return [found[name] for name in sorted(found)]

    def keep(self, chunks: Iterable[bytes]) -> tuple[str, str, int]:
        """Keep bytes under their digest; return sha256 (hex), MD5 (base64) and size."""
        descriptor, new = tempfile.mkstemp(prefix=".new-", dir=self.state.contents)
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        try:
            with open(descriptor, "wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    for take in (file.write, sha256.update, md5.update):
                        take(chunk)
            final = self.state.content_file(sha256.hexdigest())
            final.parent.mkdir(exist_ok=True)
            os.replace(new, final)
        except BaseException:
            os.unlink(new)
            raise
        return sha256.hexdigest(), base64.b64encode(md5.digest()).decode(), size

    def respond(self, request: HttpRequest, account: str, path: str) -> HttpResponse:
        container, _, name = path.lstrip("/").partition("/")
        comp = request.query.get("comp", "")
        operation, permissions = _OPERATIONS.get((request.method, comp), (None, ""))
        if operation is None or bool(name) == (operation is blob_requests.list_blobs):
            message = f"The stand-in does not serve {request.method} with comp={comp!r} here."
            raise StorageError(400, "InvalidQueryParameterValue", message)
        self.access.check(request, account, container, name, permissions)
        if not self.state.has_container(container):
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        response = operation(self, request, container, name)
        response.headers.setdefault("x-ms-version", _VERSION)
        response.headers.setdefault("Date", formatdate(usegmt=True))
        return response

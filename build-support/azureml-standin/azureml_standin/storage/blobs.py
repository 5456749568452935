"""Blob storage as clients reach it: the requests of its REST interface that jobs need.

Source of names, headers and errors: https://learn.microsoft.com/rest/api/storageservices/
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from azureml_standin.http.messages import HttpRequest, HttpResponse, StorageError
from azureml_standin.storage import blob_requests, containers
from azureml_standin.storage.store import BlobStore

_VERSION = "2025-11-05"
_Operation = Callable[[BlobStore, HttpRequest, str, str], HttpResponse]
# What serves a method and `comp`, and the permissions of which a signature needs one.
_OPERATIONS: dict[tuple[str, str], tuple[_Operation, str]] = {
    ("PUT", ""): (blob_requests.put, "cw"),
    ("PUT", "block"): (blob_requests.put_block, "cw"),
    ("PUT", "blocklist"): (blob_requests.put_block_list, "cw"),
    ("PUT", "metadata"): (blob_requests.put_metadata, "w"),
    ("GET", ""): (blob_requests.get, "r"),
    ("HEAD", ""): (blob_requests.get, "r"),
    ("GET", "list"): (containers.list_blobs, "l"),
}


class BlobStorage(BlobStore):
    """The storage account."""

    def respond(self, request: HttpRequest, account: str, path: str) -> HttpResponse:
        container, _, name = path.lstrip("/").partition("/")
        comp = request.query.get("comp", "")
        operation, permissions = _OPERATIONS.get((request.method, comp), (None, ""))
        if operation is None or bool(name) == (operation is containers.list_blobs):
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

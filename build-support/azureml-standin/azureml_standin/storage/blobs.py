"""Blob storage as clients reach it: the requests of its REST interface that jobs need.

Source of names, headers and errors: https://learn.microsoft.com/rest/api/storageservices/
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from email.utils import formatdate

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.storage import blob_requests, blocks, containers
from azureml_standin.storage.store import BlobStore

_VERSION = "2025-11-05"
_CONTAINER = re.compile(r"\$logs|\$root|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_Operation = Callable[[BlobStore, HttpRequest, str, str], HttpResponse]
# What serves a method and `comp`, and the permissions of which a signature needs one.
_BLOB_OPERATIONS: dict[tuple[str, str], tuple[_Operation, str]] = {
    ("PUT", ""): (blob_requests.put, "cw"),
    ("PUT", "block"): (blocks.put_block, "cw"),
    ("PUT", "blocklist"): (blocks.put_block_list, "cw"),
    ("PUT", "metadata"): (blob_requests.put_metadata, "w"),
    ("GET", ""): (blob_requests.get, "r"),
    ("HEAD", ""): (blob_requests.get, "r"),
    ("GET", "metadata"): (blob_requests.get_metadata, "r"),
    ("HEAD", "metadata"): (blob_requests.get_metadata, "r"),
    ("GET", "blocklist"): (blocks.get_block_list, "r"),
    ("DELETE", ""): (blob_requests.delete, "d"),
}
_CONTAINER_OPERATIONS: dict[tuple[str, str], tuple[_Operation, str]] = {
    ("PUT", ""): (containers.create, ""),
    ("DELETE", ""): (containers.delete, ""),
    ("GET", ""): (containers.get_properties, "r"),
    ("HEAD", ""): (containers.get_properties, "r"),
    ("GET", "list"): (containers.list_blobs, "l"),
}


class BlobStorage(BlobStore):
    """The storage account."""

    def respond(self, request: HttpRequest, account: str, path: str) -> HttpResponse:
        container, _, name = path.lstrip("/").partition("/")
        if not container:
            raise StorageError(400, "InvalidUri", "The account itself is not served.")
        if not _CONTAINER.fullmatch(container):
            raise StorageError(
                400, "InvalidResourceName", f"Invalid name of a container: {container}"
            )
        operation, permissions = _operation(request, name)
        self.access.check(request, account, container, name, permissions)
        if not self.state.has_container(container) and operation is not containers.create:
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        response = operation(self, request, container, name)
        response.headers.setdefault("x-ms-version", _VERSION)
        response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
        response.headers.setdefault("Date", formatdate(usegmt=True))
        return response


def _operation(request: HttpRequest, name: str) -> tuple[_Operation, str]:
    key = (request.method, request.query.get("comp", ""))
    if name:
        found = _BLOB_OPERATIONS.get(key)
    elif request.query.get("restype") == "container":
        found = _CONTAINER_OPERATIONS.get(key)
    else:
        found = None
    if found is None:
        raise StorageError(
            400,
            "InvalidQueryParameterValue",
            f"The stand-in does not serve {request.method} with comp={key[1]!r} here.",
        )
    return found

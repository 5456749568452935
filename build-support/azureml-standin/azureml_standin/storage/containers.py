"""Requests for containers: create, delete, show and list them."""

from __future__ import annotations

from email.utils import formatdate
from xml.sax.saxutils import escape, quoteattr

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import XML, HttpRequest, HttpResponse
from azureml_standin.storage.headers import listed, number
from azureml_standin.storage.store import BlobStore


def create(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    with storage.state.lock:
        if storage.state.has_container(container):
            raise StorageError(409, "ContainerAlreadyExists", "The container exists already.")
        storage.state.add_container(container)
    return HttpResponse(201, headers=_headers())


def delete(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    storage.state.remove_container(container)
    return HttpResponse(202)


def get_properties(
    storage: BlobStore, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    return HttpResponse(200, headers=_headers())


def _headers() -> dict[str, str]:
    return {
        "ETag": '"0x8D000000000000"',
        "Last-Modified": formatdate(0, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
    }


def list_blobs(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    query = request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker = query.get("marker", "")
    most = number(query.get("maxresults", "5000"), 1, 5000)
    entries: list[str] = []
    last_folder = ""
    following = ""
    for blob in storage.blobs(container, prefix):
        if blob.name < marker:
            continue
        cut = blob.name.find(delimiter, len(prefix)) if delimiter else -1
        folder = blob.name[: cut + len(delimiter)] if cut >= 0 else ""
        if folder and folder == last_folder:
            continue
        if len(entries) == most:
            following = blob.name
            break
        last_folder = folder
        if folder:
            entries.append(f"<BlobPrefix><Name>{escape(folder)}</Name></BlobPrefix>")
        else:
            entries.append(listed(blob, "metadata" in query.get("include", "")))
    shown = "".join(
        f"<{tag}>{escape(value)}</{tag}>"
        for tag, value in (("Prefix", prefix), ("Marker", marker), ("Delimiter", delimiter))
        if value
    )
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<EnumerationResults ContainerName={quoteattr(container)}>{shown}"
        f"<MaxResults>{most}</MaxResults><Blobs>{''.join(entries)}</Blobs>"
        f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
    )
    return HttpResponse(200, text.encode("utf-8"), {"Content-Type": XML})

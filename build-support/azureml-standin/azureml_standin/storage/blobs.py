"""Azure Blob storage in this process: the requests of its REST interface that jobs need.

Source of names, headers and refusals: https://learn.microsoft.com/rest/api/storageservices/
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
import time
import uuid
from email.utils import formatdate
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import XML, HttpRequest, HttpResponse, RequestBody, file_response
from azureml_standin.state import BlobRecord, State
from azureml_standin.storage.access import StorageAccess
from azureml_standin.storage.copies import (
    PUT_FROM_URL,
    check_source,
    copied,
    copy_kind,
    is_for_whole_account,
    source_request,
)
from azureml_standin.storage.headers import (
    ENCRYPTED,
    asked_range,
    check_conditions,
    check_md5,
    identity,
    listed,
    metadata_headers,
    metadata_of,
    new_etag,
    no_blob,
    number,
    properties,
)
from azureml_standin.storage.live_files import LiveBlobs, base64_of, range_md5

_VERSION = "2025-11-05"
_CONTAINER = re.compile(r"\$logs|\$root|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_OWN_ADDRESS = re.compile(r"/([a-z0-9]{3,24})\.blob\.[a-z0-9.-]+(/.*|)")


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
        """Blobs whose name begins with `prefix`, in the order of names."""
        found = {blob.name: blob for live in self.live for blob in live.blobs(container, prefix)}
        found.update((blob.name, blob) for blob in self.state.blobs(container, prefix))
        return [found[name] for name in sorted(found)]

    def address(self, request: HttpRequest) -> tuple[str, str] | None:
        """Account and path of a request to storage; None for any other request."""
        host = request.host.partition(":")[0]
        if ".blob." in host:
            return host.partition(".")[0], request.path
        own = _OWN_ADDRESS.fullmatch(request.path)
        return (f"{own[1]}", own[2]) if own else None

    def respond(self, request: HttpRequest, account: str, path: str) -> HttpResponse:
        container, _, name = path.lstrip("/").partition("/")
        if not container:
            raise StorageError(400, "InvalidUri", "The account itself is not served.")
        if not _CONTAINER.fullmatch(container):
            raise StorageError(400, "InvalidResourceName", f"No name for a container: {container}")
        request_of = (request.method, request.query.get("comp", ""))
        if name:
            operation = _BLOB_OPERATIONS.get(request_of)
        elif request.query.get("restype") == "container":
            operation = _CONTAINER_OPERATIONS.get(request_of)
        else:
            operation = None
        if operation is None:
            raise StorageError(
                400,
                "InvalidQueryParameterValue",
                f"The stand-in does not serve {request.method} with comp={request_of[1]!r} here.",
            )
        method, permissions = operation
        self.access.check(request, account, container, name, permissions)
        if not self.state.has_container(container) and method != "_create_container":
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        response: HttpResponse = getattr(self, method)(request, container, name)
        response.headers.setdefault("x-ms-version", _VERSION)
        response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
        response.headers.setdefault("Date", formatdate(usegmt=True))
        return response

    def keep(self, body: RequestBody) -> tuple[str, str, int]:
        """Keep bytes under their digest: sha256 (hex), MD5 (base64) and size."""
        descriptor, beside = tempfile.mkstemp(prefix=".new-", dir=self.state.contents)
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        try:
            with open(descriptor, "wb") as file:
                for chunk in body.chunks():
                    for take in (file.write, sha256.update, md5.update):
                        take(chunk)
            final = self.state.content_file(sha256.hexdigest())
            final.parent.mkdir(exist_ok=True)
            os.replace(beside, final)
        except BaseException:
            os.unlink(beside)
            raise
        return sha256.hexdigest(), base64_of(md5.digest()), body.size

    # Containers

    def _create_container(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        with self.state.lock:
            if self.state.has_container(container):
                raise StorageError(409, "ContainerAlreadyExists", "The container exists already.")
            self.state.add_container(container)
        return HttpResponse(201, headers=self._container_headers())

    def _delete_container(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        self.state.remove_container(container)
        return HttpResponse(202)

    def _container_properties(
        self, request: HttpRequest, container: str, name: str
    ) -> HttpResponse:
        return HttpResponse(200, headers=self._container_headers())

    @staticmethod
    def _container_headers() -> dict[str, str]:
        return {
            "ETag": '"0x8D000000000000"',
            "Last-Modified": formatdate(0, usegmt=True),
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
        }

    def _list(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        marker = query.get("marker", "")
        most = number(query.get("maxresults", "5000"), 1, 5000)
        entries: list[str] = []
        last_folder = ""
        following = ""
        for blob in self.blobs(container, prefix):
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

    # Blobs

    def _put(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        if "x-ms-copy-source" in request.headers:
            return self._put_copy(request, container, name)
        kind = request.headers.get("x-ms-blob-type")
        if kind is None:
            raise StorageError(400, "MissingRequiredHeader", "x-ms-blob-type is missing.")
        if kind != "BlockBlob":
            raise StorageError(400, "InvalidHeaderValue", "The stand-in keeps block blobs only.")
        sha256, md5, size = self.keep(request.body)
        check_md5(request, md5)
        with self.state.lock:
            check_conditions(request, self.blob(container, name))
            blob = self._commit(request, container, name, sha256, md5, size)
        return HttpResponse(201, headers={**identity(blob), "Content-MD5": md5, **ENCRYPTED})

    def _put_copy(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        source = self.copy_source(request)
        with self.state.lock:
            check_conditions(request, self.blob(container, name))
            sha256, md5, size = self.keep(RequestBody(files=[source.file]))
            md5 = md5 if copy_kind(request) == PUT_FROM_URL else source.md5
            blob = self._commit(request, container, name, sha256, md5, size, source)
        return copied(request, identity(blob), md5)

    def copy_source(self, request: HttpRequest) -> BlobRecord:
        """The blob that a request copies from, where the caller may read it."""
        asked = source_request(request)
        address = self.address(asked)
        if address is None:
            raise StorageError(400, "InvalidHeaderValue", "The source is not in this account.")
        container, _, name = address[1].lstrip("/").partition("/")
        is_allowed = is_for_whole_account(request)
        try:
            if not is_allowed:
                self.access.check(asked, address[0], container, name, "r")
            if not self.state.has_container(container):
                raise StorageError(404, "ContainerNotFound", "The container does not exist.")
            source = self.blob(container, name)
            if source is None:
                raise no_blob()
        except StorageError as error:
            # With the status that reading the source has.
            raise StorageError(error.status, "CannotVerifyCopySource", error.message) from None
        check_source(request, source)
        return source

    def _put_block(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        block = request.query.get("blockid", "")
        try:
            base64.b64decode(block, validate=True)
        except ValueError as error:
            raise StorageError(400, "InvalidQueryParameterValue", "blockid") from error
        if not block:
            raise StorageError(400, "MissingRequiredQueryParameter", "blockid")
        sha256, md5, size = self.keep(request.body)
        check_md5(request, md5)
        self.state.put_block(container, name, block, size, sha256)
        return HttpResponse(201, headers={"Content-MD5": md5, **ENCRYPTED})

    def _put_block_list(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        try:
            wanted = [
                (each.tag, (each.text or "").strip())
                for each in ElementTree.fromstring(request.body.read())
            ]
        except ElementTree.ParseError as error:
            raise StorageError(400, "InvalidXmlDocument", str(error)) from error
        with self.state.lock:
            check_conditions(request, self.blob(container, name))
            waiting = self.state.blocks(container, name)
            present = {b: (size, sha) for b, size, sha in self.state.committed(container, name)}
            chosen = []
            for tag, block in wanted:
                places = {"Uncommitted": [waiting], "Committed": [present]}.get(
                    tag, [waiting, present]
                )
                found = next((place[block] for place in places if block in place), None)
                if found is None:
                    raise StorageError(400, "InvalidBlockList", "The block list is invalid.")
                chosen.append((block, *found))
            files = [self.state.content_file(sha256) for _, _, sha256 in chosen]
            sha256, _, size = self.keep(RequestBody(files=files))
            self.state.commit_blocks(container, name, chosen)
            given = request.headers.get("x-ms-blob-content-md5", "")
            blob = self._commit(request, container, name, sha256, given, size)
        return HttpResponse(201, headers={**identity(blob), **ENCRYPTED})

    def _get_block_list(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        asked = request.query.get("blocklisttype", "committed")
        parts = {
            "Committed": [(b, s) for b, s, _ in self.state.committed(container, name)],
            "Uncommitted": [(b, s) for b, (s, _) in self.state.blocks(container, name).items()],
        }
        text = "".join(
            f"<{key}Blocks>"
            + "".join(
                f"<Block><Name>{escape(block)}</Name><Size>{size}</Size></Block>"
                for block, size in blocks
            )
            + f"</{key}Blocks>"
            for key, blocks in parts.items()
            if asked in ("all", key.lower())
        )
        text = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{text}</BlockList>'
        return HttpResponse(200, text.encode(), {"Content-Type": XML})

    def _put_metadata(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        with self.state.lock:
            blob = self.state.blob(container, name)
            if blob is None:
                raise no_blob()
            check_conditions(request, blob)
            blob.metadata = metadata_of(request)
            blob.etag, blob.modified = new_etag(), time.time()
            self.state.put_blob(blob, blob.file.name)
        return HttpResponse(200, headers=identity(blob))

    def _get(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        blob = self.blob(container, name)
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

    def _get_metadata(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        blob = self.blob(container, name)
        if blob is None:
            raise no_blob()
        return HttpResponse(200, headers=identity(blob) | metadata_headers(blob))

    def _delete(self, request: HttpRequest, container: str, name: str) -> HttpResponse:
        with self.state.lock:
            blob = self.state.blob(container, name)
            if blob is None:
                raise no_blob()
            check_conditions(request, blob)
            self.state.remove_blob(container, name)
        return HttpResponse(202)

    def _commit(
        self,
        request: HttpRequest,
        container: str,
        name: str,
        sha256: str,
        md5: str,
        size: int,
        source: BlobRecord | None = None,
    ) -> BlobRecord:
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


# What serves which method and `comp`, and the permissions of which a signature needs one.
_BLOB_OPERATIONS = {
    ("PUT", ""): ("_put", "cw"),
    ("PUT", "block"): ("_put_block", "cw"),
    ("PUT", "blocklist"): ("_put_block_list", "cw"),
    ("PUT", "metadata"): ("_put_metadata", "w"),
    ("GET", ""): ("_get", "r"),
    ("HEAD", ""): ("_get", "r"),
    ("GET", "metadata"): ("_get_metadata", "r"),
    ("HEAD", "metadata"): ("_get_metadata", "r"),
    ("GET", "blocklist"): ("_get_block_list", "r"),
    ("DELETE", ""): ("_delete", "d"),
}
_CONTAINER_OPERATIONS = {
    ("PUT", ""): ("_create_container", ""),
    ("DELETE", ""): ("_delete_container", ""),
    ("GET", ""): ("_container_properties", "r"),
    ("HEAD", ""): ("_container_properties", "r"),
    ("GET", "list"): ("_list", "l"),
}

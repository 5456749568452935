"""Azure Blob storage in this process: the requests of its REST interface that jobs need.

Source of names, headers and refusals: https://learn.microsoft.com/rest/api/storageservices/
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
import threading
import time
import uuid
from email.utils import formatdate
from pathlib import Path
from typing import Callable, Iterable, Optional, Protocol, Sequence
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from azureml_jobs.service.messages import (
    XML,
    Answer,
    BlobRefusal,
    Body,
    Request,
    open_answer,
)
from azureml_jobs.service.state import BlobRecord, State
from azureml_jobs.service.storage_access import StorageAccess

_VERSION = "2025-11-05"
_LARGEST_MD5_RANGE = 4 * 1024 * 1024
_CONTAINER = re.compile(r"\$logs|\$root|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_OWN_ADDRESS = re.compile(r"/([a-z0-9]{3,24})\.blob\.[a-z0-9.-]+(/.*|)")
_METADATA = "x-ms-meta-"


class LiveBlobs(Protocol):
    """Blobs that are files of running jobs, read as they grow."""

    def blob(self, container: str, name: str) -> Optional[BlobRecord]: ...

    def blobs(self, container: str, prefix: str) -> Iterable[BlobRecord]: ...


class BlobStorage:
    """The storage account. `live` adds blobs that are not in the database."""

    def __init__(self, state: State, access: StorageAccess) -> None:
        self.state = state
        self.access = access
        self.live: list[LiveBlobs] = []

    def blob(self, container: str, name: str) -> Optional[BlobRecord]:
        found = self.state.blob(container, name)
        for live in self.live:
            found = found or live.blob(container, name)
        return found

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        """Blobs whose name begins with `prefix`, in the order of names."""
        found = {blob.name: blob for live in self.live for blob in live.blobs(container, prefix)}
        found.update((blob.name, blob) for blob in self.state.blobs(container, prefix))
        return [found[name] for name in sorted(found)]

    def address(self, request: Request) -> tuple[str, str] | None:
        """Account and path of a request to storage; None for any other request."""
        host = request.host.partition(":")[0]
        if ".blob." in host:
            return host.partition(".")[0], request.path
        own = _OWN_ADDRESS.fullmatch(request.path)
        return (f"{own[1]}", own[2]) if own else None

    def answer(self, request: Request, account: str, path: str) -> Answer:
        container, _, name = path.lstrip("/").partition("/")
        if not container:
            raise BlobRefusal(400, "InvalidUri", "The account itself is not served.")
        if not _CONTAINER.fullmatch(container):
            raise BlobRefusal(400, "InvalidResourceName", f"No name for a container: {container}")
        request_of = (request.method, request.query.get("comp", ""))
        if name:
            operation = _BLOB_OPERATIONS.get(request_of)
        elif request.query.get("restype") == "container":
            operation = _CONTAINER_OPERATIONS.get(request_of)
        else:
            operation = None
        if operation is None:
            raise BlobRefusal(
                400,
                "InvalidQueryParameterValue",
                f"The stand-in does not serve {request.method} with comp={request_of[1]!r} here.",
            )
        method, permissions = operation
        self.access.check(request, account, container, name, permissions)
        if not self.state.has_container(container) and method != "_create_container":
            raise BlobRefusal(404, "ContainerNotFound", "The specified container does not exist.")
        answer: Answer = getattr(self, method)(request, container, name)
        answer.headers.setdefault("x-ms-version", _VERSION)
        answer.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
        answer.headers.setdefault("Date", formatdate(usegmt=True))
        return answer

    def keep(self, body: Body) -> tuple[str, str, int]:
        """Keep bytes under their digest: sha256 (hex), MD5 (base64) and size."""
        descriptor, beside = tempfile.mkstemp(prefix=".new-", dir=self.state.contents)
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        try:
            with open(descriptor, "wb") as file:
                body.copy_to(_Tee(file.write, sha256.update, md5.update))  # type: ignore[arg-type]
            final = self.state.content_file(sha256.hexdigest())
            final.parent.mkdir(exist_ok=True)
            os.replace(beside, final)
        except BaseException:
            os.unlink(beside)
            raise
        return sha256.hexdigest(), _base64(md5.digest()), body.size

    # Containers

    def _create_container(self, request: Request, container: str, name: str) -> Answer:
        with self.state.lock:
            if self.state.has_container(container):
                raise BlobRefusal(409, "ContainerAlreadyExists", "The container exists already.")
            self.state.add_container(container)
        return Answer(201, headers=self._container_headers())

    def _delete_container(self, request: Request, container: str, name: str) -> Answer:
        self.state.remove_container(container)
        return Answer(202)

    def _container_properties(self, request: Request, container: str, name: str) -> Answer:
        return Answer(200, headers=self._container_headers())

    @staticmethod
    def _container_headers() -> dict[str, str]:
        return {
            "ETag": '"0x8D000000000000"',
            "Last-Modified": formatdate(0, usegmt=True),
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
        }

    def _list(self, request: Request, container: str, name: str) -> Answer:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        marker = query.get("marker", "")
        most = _number(query.get("maxresults", "5000"), 1, 5000)
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
                entries.append(_listed(blob, "metadata" in query.get("include", "")))
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
        return Answer(200, text.encode("utf-8"), {"Content-Type": XML})

    # Blobs

    def _put(self, request: Request, container: str, name: str) -> Answer:
        if "x-ms-copy-source" in request.headers:
            return self._put_copy(request, container, name)
        kind = request.headers.get("x-ms-blob-type")
        if kind is None:
            raise BlobRefusal(400, "MissingRequiredHeader", "x-ms-blob-type is missing.")
        if kind != "BlockBlob":
            raise BlobRefusal(400, "InvalidHeaderValue", "The stand-in keeps block blobs only.")
        sha256, md5, size = self.keep(request.body)
        _check_md5(request, md5)
        with self.state.lock:
            self._check_conditions(request, self.blob(container, name))
            blob = self._commit(request, container, name, sha256, md5, size)
        return Answer(201, headers={**_identity(blob), "Content-MD5": md5, **_ENCRYPTED})

    def _put_copy(self, request: Request, container: str, name: str) -> Answer:
        source = self._copy_source(request)
        with self.state.lock:
            self._check_conditions(request, self.blob(container, name))
            sha256, md5, size = self.keep(Body(file=source.file))
            blob = self._commit(request, container, name, sha256, md5, size, source)
        if request.headers.get("x-ms-blob-type") == "BlockBlob":
            # Put Blob From URL
            return Answer(201, headers={**_identity(blob), "Content-MD5": md5, **_ENCRYPTED})
        copy = {"x-ms-copy-id": str(uuid.uuid4()), "x-ms-copy-status": "success"}
        return Answer(202, headers={**_identity(blob), **copy})

    def _copy_source(self, request: Request) -> BlobRecord:
        parts = urlsplit(request.headers["x-ms-copy-source"])
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"host": parts.netloc, "x-ms-version": _VERSION}
        if "x-ms-copy-source-authorization" in request.headers:
            headers["authorization"] = request.headers["x-ms-copy-source-authorization"]
        elif request.headers.get("authorization", "").lower().startswith("sharedkey"):
            # A key is for the whole account, and so for its source too.
            headers = {}
        asked = Request("GET", target, {"host": parts.netloc, **headers})
        address = self.address(asked)
        if address is None:
            raise BlobRefusal(400, "InvalidHeaderValue", "The source is not in this account.")
        container, _, name = address[1].lstrip("/").partition("/")
        if headers:
            try:
                self.access.check(asked, address[0], container, name, "r")
            except BlobRefusal as refusal:
                raise BlobRefusal(403, "CannotVerifyCopySource", refusal.message) from refusal
        source = self.blob(container, name)
        if source is None:
            raise BlobRefusal(404, "CannotVerifyCopySource", "The source does not exist.")
        return source

    def _put_block(self, request: Request, container: str, name: str) -> Answer:
        block = request.query.get("blockid", "")
        try:
            base64.b64decode(block, validate=True)
        except ValueError as error:
            raise BlobRefusal(400, "InvalidQueryParameterValue", "blockid") from error
        if not block:
            raise BlobRefusal(400, "MissingRequiredQueryParameter", "blockid")
        sha256, md5, size = self.keep(request.body)
        _check_md5(request, md5)
        self.state.put_block(container, name, block, size, sha256)
        return Answer(201, headers={"Content-MD5": md5, **_ENCRYPTED})

    def _put_block_list(self, request: Request, container: str, name: str) -> Answer:
        try:
            wanted = [
                (each.tag, (each.text or "").strip())
                for each in ElementTree.fromstring(request.body.read())
            ]
        except ElementTree.ParseError as error:
            raise BlobRefusal(400, "InvalidXmlDocument", str(error)) from error
        with self.state.lock:
            self._check_conditions(request, self.blob(container, name))
            waiting = self.state.blocks(container, name)
            present = {block: (s, h) for block, s, h in self.state.committed(container, name)}
            chosen = []
            for tag, block in wanted:
                places = {"Uncommitted": [waiting], "Committed": [present]}.get(
                    tag, [waiting, present]
                )
                found = next((place[block] for place in places if block in place), None)
                if found is None:
                    raise BlobRefusal(400, "InvalidBlockList", "The block list is invalid.")
                chosen.append((block, *found))
            sha256, md5, size = self.keep(
                _Joined([self.state.content_file(h) for _, _, h in chosen])
            )
            self.state.commit_blocks(container, name, chosen)
            given = request.headers.get("x-ms-blob-content-md5", "")
            blob = self._commit(request, container, name, sha256, given, size)
        return Answer(201, headers={**_identity(blob), **_ENCRYPTED})

    def _get_block_list(self, request: Request, container: str, name: str) -> Answer:
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
        return Answer(200, text.encode(), {"Content-Type": XML})

    def _put_metadata(self, request: Request, container: str, name: str) -> Answer:
        with self.state.lock:
            blob = self.state.blob(container, name)
            if blob is None:
                raise _no_blob()
            self._check_conditions(request, blob)
            blob.metadata = _metadata(request)
            blob.etag, blob.modified = _new_etag(), time.time()
            self.state.put_blob(blob, blob.file.name)
        return Answer(200, headers=_identity(blob))

    def _get(self, request: Request, container: str, name: str) -> Answer:
        blob = self.blob(container, name)
        if blob is None:
            raise _no_blob()
        self._check_conditions(request, blob)
        start, end = _range(request, blob.size)
        headers = _properties(blob)
        is_part = (start, end) != (0, blob.size) or "x-ms-range" in request.headers
        if is_part or "range" in request.headers:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
            if blob.md5:
                headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
            if request.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
                headers["Content-MD5"] = _range_md5(blob.file, start, end)
        if request.method == "HEAD":
            return Answer(200, headers={**_properties(blob), "Content-Length": str(blob.size)})
        answer = open_answer(blob.file, start, end - start)
        answer.status = 206 if "Content-Range" in headers else 200
        answer.headers.update(headers)
        return answer

    def _get_metadata(self, request: Request, container: str, name: str) -> Answer:
        blob = self.blob(container, name)
        if blob is None:
            raise _no_blob()
        return Answer(200, headers=_identity(blob) | _metadata_headers(blob))

    def _delete(self, request: Request, container: str, name: str) -> Answer:
        with self.state.lock:
            blob = self.state.blob(container, name)
            if blob is None:
                raise _no_blob()
            self._check_conditions(request, blob)
            self.state.remove_blob(container, name)
        return Answer(202)

    def _commit(
        self,
        request: Request,
        container: str,
        name: str,
        sha256: str,
        md5: str,
        size: int,
        source: Optional[BlobRecord] = None,
    ) -> BlobRecord:
        given = request.headers
        metadata = _metadata(request)
        content_type = given.get("x-ms-blob-content-type") or given.get("content-type")
        blob = BlobRecord(
            container,
            name,
            size,
            md5,
            _new_etag(),
            time.time(),
            self.state.content_file(sha256),
            (source.content_type if source else content_type) or "application/octet-stream",
            source.metadata if source and not metadata else metadata,
        )
        self.state.put_blob(blob, sha256)
        return blob

    @staticmethod
    def _check_conditions(request: Request, blob: Optional[BlobRecord]) -> None:
        """https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers…"""
        reads = request.method in ("GET", "HEAD")
        unless = request.headers.get("if-none-match")
        if unless and blob and (unless == "*" or unless == blob.etag):
            if reads:
                raise BlobRefusal(304, "ConditionNotMet", "The condition is not met.")
            if unless == "*":
                raise BlobRefusal(409, "BlobAlreadyExists", "The specified blob already exists.")
            raise BlobRefusal(412, "ConditionNotMet", "The condition is not met.")
        only = request.headers.get("if-match")
        if only and (blob is None or only not in ("*", blob.etag)):
            raise BlobRefusal(412, "ConditionNotMet", "The condition is not met.")


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
_ENCRYPTED = {"x-ms-request-server-encrypted": "true"}


class _Tee:
    """Hands what is written to several at once."""

    def __init__(self, *targets: Callable[[bytes], object]) -> None:
        self._targets = targets

    def write(self, data: bytes) -> int:
        for target in self._targets:
            target(data)
        return len(data)


class _Joined(Body):
    """Files, one after the other."""

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__()
        self._files = files

    @property
    def size(self) -> int:
        return sum(file.stat().st_size for file in self._files)

    def copy_to(self, out: object) -> None:
        for file in self._files:
            Body(file=file).copy_to(out)  # type: ignore[arg-type]


def live_blob(container: str, name: str, file: Path, is_final: bool) -> Optional[BlobRecord]:
    """A file of a job as a blob; None when it went away. Only a final one has its MD5."""
    try:
        state = file.stat()
        md5 = _file_md5(file, state.st_size, state.st_mtime_ns) if is_final else ""
    except OSError:
        return None
    return BlobRecord(
        container,
        name,
        state.st_size,
        md5,
        f'"0x{state.st_mtime_ns:X}{state.st_size:X}"',
        state.st_mtime,
        file,
        kind="BlockBlob" if is_final else "AppendBlob",
    )


_MD5_CACHE: dict[tuple[Path, int, int], str] = {}
_MD5_LOCK = threading.Lock()


def _file_md5(file: Path, size: int, changed: int) -> str:
    with _MD5_LOCK:
        known = _MD5_CACHE.get((file, size, changed))
    if known is None:
        known = _range_md5(file, 0, size)
        with _MD5_LOCK:
            _MD5_CACHE[file, size, changed] = known
    return known


def _range_md5(file: Path, start: int, end: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(file, "rb") as source:
        source.seek(start)
        left = end - start
        while left > 0 and (chunk := source.read(min(left, 1 << 20))):
            digest.update(chunk)
            left -= len(chunk)
    return _base64(digest.digest())


def _check_md5(request: Request, md5: str) -> None:
    given = request.headers.get("content-md5") or request.headers.get("x-ms-blob-content-md5")
    if given and given != md5:
        raise BlobRefusal(
            400, "Md5Mismatch", "The MD5 value specified in the request did not match."
        )


def _range(request: Request, size: int) -> tuple[int, int]:
    """Start, and end behind the last byte. Raises `BlobRefusal` 416 for what is not there."""
    asked = request.headers.get("x-ms-range") or request.headers.get("range")
    if not asked:
        return 0, size
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.strip())
    if match is None:
        raise BlobRefusal(400, "InvalidHeaderValue", f"The range {asked!r} is not understood.")
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if start >= size or end <= start:
        raise BlobRefusal(
            416, "InvalidRange", "The range is invalid.", Content_Range=f"bytes */{size}"
        )
    if (
        request.headers.get("x-ms-range-get-content-md5", "").lower() == "true"
        and end - start > _LARGEST_MD5_RANGE
    ):
        raise BlobRefusal(400, "OutOfRangeInput", "An MD5 is made of 4 MiB at most.")
    return start, end


def _metadata(request: Request) -> dict[str, str]:
    return {
        unquote(key[len(_METADATA) :]): value
        for key, value in request.headers.items()
        if key.startswith(_METADATA)
    }


def _metadata_headers(blob: BlobRecord) -> dict[str, str]:
    return {f"{_METADATA}{key}": value for key, value in blob.metadata.items()}


def _identity(blob: BlobRecord) -> dict[str, str]:
    return {"ETag": blob.etag, "Last-Modified": formatdate(blob.modified, usegmt=True)}


def _properties(blob: BlobRecord) -> dict[str, str]:
    headers = {
        **_identity(blob),
        **_metadata_headers(blob),
        "Content-Type": blob.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": blob.kind,
        "x-ms-server-encrypted": "true",
        "x-ms-creation-time": formatdate(blob.modified, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
    }
    if blob.md5:
        headers["Content-MD5"] = blob.md5
    return headers


def _listed(blob: BlobRecord, with_metadata: bool) -> str:
    moment = formatdate(blob.modified, usegmt=True)
    metadata = ""
    if with_metadata:
        values = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in blob.metadata.items())
        metadata = f"<Metadata>{values}</Metadata>"
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Creation-Time>{moment}</Creation-Time><Last-Modified>{moment}</Last-Modified>"
        f"<Etag>{escape(blob.etag.strip(chr(34)))}</Etag><Content-Length>{blob.size}</Content-Length>"
        f"<Content-Type>{escape(blob.content_type)}</Content-Type>"
        f"<Content-MD5>{blob.md5}</Content-MD5><BlobType>{blob.kind}</BlobType>"
        "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
        f"<ServerEncrypted>true</ServerEncrypted></Properties>{metadata}</Blob>"
    )


def _no_blob() -> BlobRefusal:
    return BlobRefusal(404, "BlobNotFound", "The specified blob does not exist.")


def _new_etag() -> str:
    return f'"0x{uuid.uuid4().hex[:16].upper()}"'


def _number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BlobRefusal(400, "OutOfRangeQueryParameterValue", f"{text!r}: {least} to {most}.")
    return int(text)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

"""Blob storage by Azurite, Microsoft's own emulator (npm package `azurite`), where it is installed.

The service stays in front of it: it ends TLS, records, makes faults, and decides who may do what.
Azurite then keeps the blobs, and answers. Logs and outputs of jobs are files, as without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime
from http.client import HTTPResponse
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from azureml_jobs.base.errors import OutsideError
from azureml_standin.blob_copies import copied
from azureml_standin.blobs import BlobStorage
from azureml_standin.clouds import ACCOUNT
from azureml_standin.messages import Answer, Body, Request
from azureml_standin.state import BlobRecord, State
from azureml_standin.storage_access import StorageAccess

_PROGRAM = "azurite-blob"
_LISTENS = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")
_VERSION = "2021-12-02"
_METADATA = "x-ms-meta-"
# Of the address: what says what is asked, and not who asks.
_QUERY = frozenset(
    {
        *("comp", "restype", "blockid", "blocklisttype", "prefix", "delimiter", "marker"),
        *("maxresults", "include", "timeout"),
    }
)
# Of a request: what says that it is a copy, which the service makes.
_OF_COPIES = ("x-ms-copy-", "x-ms-source-", "x-ms-requires-sync")
# Of an answer: what belongs to the connection to Azurite.
_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}
)
_SECONDS = 60.0


def find_azurite() -> str | None:
    return shutil.which(_PROGRAM)


class AzuriteStorage(BlobStorage):
    """`program` is Azurite's; it runs until `close`. Raises `OutsideError` when it does not start.

    Copies are made here: Azurite cannot read the addresses that clients know.
    """

    def __init__(self, state: State, access: StorageAccess, program: str) -> None:
        super().__init__(state, access)
        self._known: set[str] = set()
        self._cache = state.folder / "azurite-cache"
        self._cache.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [
                *(program, "--blobHost", "127.0.0.1", "--blobPort", "0", "--silent"),
                *("--location", str(state.folder / "azurite")),
                *("--skipApiVersionCheck", "--disableTelemetry"),
            ],
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{access.key}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._port = self._started()
        # Whatever else it says is read, so that it never waits for a reader.
        self._reader = threading.Thread(target=self._read_on, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def blob(self, container: str, name: str) -> BlobRecord | None:
        if self._is_live(container, name):
            return super().blob(container, name)
        with self._asked("GET", container, name) as answer:
            if answer.status == 404:
                return None
            return self._record(container, name, answer)

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        if self._is_live(container, prefix):
            return super().blobs(container, prefix)
        found: list[BlobRecord] = []
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
            with self._asked("GET", container, query=query) as answer:
                page = ElementTree.fromstring(answer.read())
            for name in page.iterfind("Blobs/Blob/Name"):
                blob = self.blob(container, name.text or "")
                if blob is not None:
                    found.append(blob)
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return found

    def serve(self, method: str, request: Request, container: str, name: str) -> Answer:
        is_of_container = method in ("_create_container", "_container_properties")
        if is_of_container or self._is_live(container, name or request.query.get("prefix", "")):
            return super().serve(method, request, container, name)
        if method == "_delete_container":
            self._known.discard(container)
            super().serve(method, request, container, name)
        headers = {
            key: value
            for key, value in request.headers.items()
            if key.startswith(("x-ms-", "content-", "if-")) or key == "range"
        }
        body, is_copy = request.body, "x-ms-copy-source" in headers
        if is_copy:
            source = self.copy_source(request)
            body = Body(files=[source.file])
            headers = {
                "x-ms-blob-type": "BlockBlob",
                "x-ms-blob-content-type": source.content_type,
                **{f"{_METADATA}{key}": value for key, value in source.metadata.items()},
                **{key: value for key, value in headers.items() if not key.startswith(_OF_COPIES)},
                "content-length": str(body.size),
            }
        query = {key: value for key, value in request.query.items() if key in _QUERY}
        answer = self._ask(request.method, container, name, query, headers, body)
        given = {key: value for key, value in answer.getheaders() if key.lower() not in _HOP}
        if request.method == "HEAD":
            # Of the blob, and not of this answer.
            given["Content-Length"] = answer.headers.get("Content-Length", "0")
        if is_copy and answer.status == 201:
            with answer:
                of_blob = ("etag", "last-modified")
                identity = {key: each for key, each in given.items() if key.lower() in of_blob}
                return copied(request, identity, answer.headers.get("Content-MD5", ""))
        if answer.length is None or request.method == "HEAD":
            # In chunks, as lists come, or without a body.
            with answer:
                return Answer(answer.status, answer.read(), given)
        return Answer(answer.status, answer, given, answer.length)

    def _is_live(self, container: str, name: str) -> bool:
        return any(live.owns(container, name) for live in self.live)

    def _asked(
        self, method: str, container: str, name: str = "", query: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        return self._ask(method, container, name, query or {}, {}, Body())

    def _ask(
        self,
        method: str,
        container: str,
        name: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Body,
    ) -> HTTPResponse:
        """Azurite's answer, which the caller closes. A container is made when it is first used."""
        if container not in self._known and method != "DELETE":
            self._known.add(container)
            made = self._send(
                "PUT", container, "", {"restype": "container"}, {"content-length": "0"}, Body()
            )
            made.close()
        return self._send(method, container, name, query, headers, body)

    def _send(
        self,
        method: str,
        container: str,
        name: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Body,
    ) -> HTTPResponse:
        path = f"/{ACCOUNT}/{container}" + (f"/{quote(name)}" if name else "")
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        signed = {
            "x-ms-version": _VERSION,
            **headers,
            "x-ms-date": formatdate(usegmt=True),
        }
        signed["authorization"] = self.access.authorization(Request(method, target, signed))
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for key, value in {**signed, "connection": "close"}.items():
            connection.putheader(key, value)
        connection.endheaders()
        for chunk in body.chunks():
            if chunk:
                connection.send(chunk)
        # With `close` the answer takes the socket over, and ends it.
        return connection.getresponse()

    def _record(self, container: str, name: str, answer: HTTPResponse) -> BlobRecord:
        etag = answer.headers["ETag"]
        key = hashlib.sha256(f"{container}/{name} {etag}".encode()).hexdigest()
        file = self._cache / key
        if not file.exists():
            descriptor, beside = tempfile.mkstemp(prefix=".new-", dir=self._cache)
            with open(descriptor, "wb") as out:
                shutil.copyfileobj(answer, out)
            os.replace(beside, file)
        return BlobRecord(
            container,
            name,
            file.stat().st_size,
            answer.headers.get("Content-MD5", ""),
            etag,
            parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp(),
            file,
            answer.headers.get("Content-Type", ""),
            {
                key[len(_METADATA) :]: value
                for key, value in answer.getheaders()
                if key.lower().startswith(_METADATA)
            },
        )

    def _started(self) -> int:
        said = ""
        if self._process.stdout is not None:
            for line in self._process.stdout:
                said += line
                match = _LISTENS.search(line)
                if match:
                    return int(match[1])
        self._process.wait()
        raise OutsideError(
            _PROGRAM,
            f"Azurite did not start: {said.strip()}",
            "Mend it (`npm install --global azurite`), or take `--storage in-process`.",
        )

    def _read_on(self) -> None:
        if self._process.stdout is not None:
            with contextlib.suppress(ValueError):
                for _ in self._process.stdout:
                    pass

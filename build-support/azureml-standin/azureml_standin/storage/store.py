"""The blobs of the storage account, whoever asks for them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time

from azureml_standin.http.messages import HttpRequest, RequestBody
from azureml_standin.state import BlobRecord, State
from azureml_standin.storage.access import StorageAccess
from azureml_standin.storage.headers import metadata_of, new_etag
from azureml_standin.storage.live_files import LiveBlobs, base64_of


class BlobStore:
    """`live` adds blobs that are not in the database."""

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

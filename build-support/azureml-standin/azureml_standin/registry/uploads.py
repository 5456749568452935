"""What is pushed: blobs on their way in, and manifests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
import uuid
from pathlib import Path

from azureml_standin.http.messages import HttpRequest, HttpResponse, RegistryError
from azureml_standin.registry.store import ImageStore, digest_of, is_digest


class Uploads:
    def __init__(self, images: ImageStore, folder: Path) -> None:
        self._images = images
        # Removes unfinished uploads of an earlier service.
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._begun: dict[str, str] = {}
        self._lock = threading.Lock()

    def begin(self, request: HttpRequest, name: str) -> HttpResponse:
        upload = str(uuid.uuid4())
        (self._folder / upload).touch()
        with self._lock:
            self._begun[upload] = name
        return self._accepted(request, name, upload)

    def append(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        file = self._file(name, upload)
        _append(request, file)
        return self._accepted(request, name, upload)

    def finish(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        file = self._file(name, upload)
        digest = request.query.get("digest", "")
        _append(request, file)
        self._begun.pop(upload, None)
        try:
            if digest_of(file) != digest:
                raise RegistryError(400, "DIGEST_INVALID", f"the content is not that of {digest!r}")
            os.replace(file, self._images.file(digest))
        finally:
            file.unlink(missing_ok=True)
        return self._images.add_blob(request, name, digest)

    def _accepted(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        size = (self._folder / upload).stat().st_size
        headers = {
            "Location": f"{request.base}/v2/{name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return HttpResponse(202, headers=headers)

    def _file(self, name: str, upload: str) -> Path:
        if self._begun.get(upload) != name:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return self._folder / upload


def _append(request: HttpRequest, file: Path) -> None:
    with open(file, "ab") as out:
        for chunk in request.body.chunks():
            out.write(chunk)


_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class Manifests:
    def __init__(self, images: ImageStore) -> None:
        self._images = images

    def get(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        digest = reference
        if not is_digest(reference):
            digest = self._images.tags(name).get(reference, "")
        found = self._images.manifest(name, digest)
        if found is None:
            raise RegistryError(404, "MANIFEST_UNKNOWN", f"manifest {reference} is not found")
        content = self._images.file(digest).read_bytes()
        headers = {
            "Content-Type": found["type"],
            "Docker-Content-Digest": digest,
            "ETag": f'"{digest}"',
        }
        return HttpResponse(200, content, headers, len(content))

    def put(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        content = request.body.read()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._check(name, content)
        if not is_digest(reference):
            if not _TAG.fullmatch(reference):
                raise RegistryError(400, "TAG_INVALID", f"invalid tag: {reference!r}")
            self._images.tag(name, reference, digest)
        elif reference != digest:
            raise RegistryError(400, "DIGEST_INVALID", f"the manifest is {digest}, not {reference}")
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        self._images.add_manifest(name, digest, kind, content)
        location = f"{request.base}/v2/{name}/manifests/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def _check(self, name: str, content: bytes) -> None:
        """Raise `RegistryError` for an invalid manifest, or one that names what is not here."""
        try:
            manifest = json.loads(content)
            is_index = "manifests" in manifest
            parts = manifest["manifests"] if is_index else [manifest["config"], *manifest["layers"]]
            described = [(str(part["digest"]), int(part["size"])) for part in parts]
        except (KeyError, TypeError, ValueError) as error:
            raise RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {error!r}") from error
        for digest, size in described:
            is_here = self._images.manifest if is_index else self._images.has_blob
            if not is_here(name, digest):
                raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", f"{digest} is not in {name}")
            if size != self._images.file(digest).stat().st_size:
                raise RegistryError(400, "SIZE_INVALID", f"the size of {digest} is different")

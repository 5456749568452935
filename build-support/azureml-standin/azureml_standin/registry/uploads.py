"""Blobs on their way in: begun, appended to, and finished with the digest of the whole."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from pathlib import Path

from azureml_standin.http.messages import HttpRequest, HttpResponse, RegistryError
from azureml_standin.registry.access import RegistryAccess
from azureml_standin.registry.store import ImageStore, digest_of


class Uploads:
    def __init__(self, images: ImageStore, access: RegistryAccess, folder: Path) -> None:
        self._images = images
        self._access = access
        # Removes unfinished uploads of an earlier service.
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._begun: dict[str, str] = {}
        self._lock = threading.Lock()

    def begin(self, request: HttpRequest, name: str) -> HttpResponse:
        mounted, source = request.query.get("mount"), request.query.get("from")
        if mounted and source and self._access.may_pull(request, source):
            if self._images.has_blob(source, mounted):
                return self._images.add_blob(request, name, mounted)
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

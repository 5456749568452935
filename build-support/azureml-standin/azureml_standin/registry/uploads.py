"""Blobs on their way in: begun, appended to, and finished with the digest of the whole."""

from __future__ import annotations

import os
import re
import shutil
import threading
import uuid
from pathlib import Path

from azureml_standin.http.errors import RegistryError
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.registry.access import RegistryAccess
from azureml_standin.registry.store import ImageStore, digest_of

_CONTENT_RANGE = re.compile(r"(?:bytes )?(\d+)-(\d+)(?:/.*)?")


class Uploads:
    def __init__(self, images: ImageStore, access: RegistryAccess, folder: Path) -> None:
        self._images = images
        self._access = access
        # What an earlier service left half sent goes.
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
        return self._response(request, name, upload, 202)

    def progress(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        self._file(name, upload)
        return self._response(request, name, upload, 204)

    def append(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        file = self._file(name, upload)
        _append(request, file)
        return self._response(request, name, upload, 202)

    def finish(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        file = self._file(name, upload)
        digest = request.query.get("digest", "")
        _append(request, file)
        self._begun.pop(upload, None)
        try:
            received = digest_of(file)
            if received != digest:
                raise RegistryError(
                    400,
                    "DIGEST_INVALID",
                    f"provided digest did not match uploaded content: {digest!r}, not {received}",
                )
            os.replace(file, self._images.file(digest))
        finally:
            file.unlink(missing_ok=True)
        return self._images.add_blob(request, name, digest)

    def cancel(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        self._file(name, upload).unlink(missing_ok=True)
        self._begun.pop(upload, None)
        return HttpResponse(204)

    def _response(self, request: HttpRequest, name: str, upload: str, status: int) -> HttpResponse:
        size = (self._folder / upload).stat().st_size
        headers = {
            "Location": f"{request.base}/v2/{name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return HttpResponse(status, headers=headers)

    def _file(self, name: str, upload: str) -> Path:
        if self._begun.get(upload) != name:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return self._folder / upload


def _append(request: HttpRequest, file: Path) -> None:
    size = file.stat().st_size
    given = request.headers.get("content-range")
    if given:
        match = _CONTENT_RANGE.fullmatch(given)
        if match is None or int(match[1]) != size:
            raise RegistryError(
                416, "BLOB_UPLOAD_INVALID", f"the next byte is {size}", Range=f"0-{size - 1}"
            )
    with open(file, "ab") as out:
        for chunk in request.body.chunks():
            out.write(chunk)

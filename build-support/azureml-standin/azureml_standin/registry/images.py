"""A registry of images as Docker pushes to it and pulls from it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azureml_standin.http.errors import RegistryError
from azureml_standin.http.messages import (
    HttpError,
    HttpRequest,
    HttpResponse,
    RequestBody,
    file_response,
)
from azureml_standin.http.routing import Route, Router
from azureml_standin.registry.access import PULL, PUSH, RegistryAccess
from azureml_standin.state import State
from azureml_standin.storage.headers import asked_range

_NAME = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CONTENT_RANGE = re.compile(r"(?:bytes )?(\d+)-(\d+)(?:/.*)?")
# What the specification asks registries to take at least, and what most take at most.
_LARGEST_MANIFEST = 4 * 1024 * 1024
_IMAGES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
_INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


class Registry:
    """Blobs and manifests are files of `folder` under their digests; the state says whose."""

    def __init__(self, state: State, access: RegistryAccess, folder: Path) -> None:
        self.access = access
        self._state = state
        self._blobs = folder / "blobs"
        self._blobs.mkdir(parents=True, exist_ok=True)
        # What a service that was ended left half sent.
        self._uploads = folder / "uploads"
        shutil.rmtree(self._uploads, ignore_errors=True)
        self._uploads.mkdir()
        self._begun: dict[str, str] = {}
        self._lock = threading.Lock()
        blob, upload = "/v2/{name*}/blobs/{digest}", "/v2/{name*}/blobs/uploads/{upload}"
        manifest = "/v2/{name*}/manifests/{reference}"
        self._router = Router(
            [
                Route("POST", "/oauth2/exchange", access.exchange),
                Route("POST", "/oauth2/token", access.token),
                Route("GET", "/v2/", self.ping),
                Route("HEAD", blob, self._authorized(self.get_blob, PULL)),
                Route("GET", blob, self._authorized(self.get_blob, PULL)),
                Route(
                    "POST", "/v2/{name*}/blobs/uploads/", self._authorized(self.begin, PULL, PUSH)
                ),
                Route("GET", upload, self._authorized(self.progress, PULL, PUSH)),
                Route("PATCH", upload, self._authorized(self.append, PULL, PUSH)),
                Route("PUT", upload, self._authorized(self.finish, PULL, PUSH)),
                Route("DELETE", upload, self._authorized(self.give_up, PULL, PUSH)),
                Route("HEAD", manifest, self._authorized(self.get_manifest, PULL)),
                Route("GET", manifest, self._authorized(self.get_manifest, PULL)),
                Route("PUT", manifest, self._authorized(self.put_manifest, PULL, PUSH)),
            ]
        )

    def respond(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self._router.respond(request)
        except RegistryError:
            raise
        except HttpError as error:
            raise RegistryError(error.status, "UNSUPPORTED", error.message) from error
        response.headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        return response

    def tags(self, name: str) -> dict[str, str]:
        """The digest of each tag of a repository."""
        prefix = f"{name}:"
        found = self._state.documents("image-tags", prefix)
        return {each["tag"]: each["digest"] for each in found}

    def forget(self) -> None:
        """Forget all images; for tests."""
        for kind in ("image-tags", "image-manifests", "image-blobs"):
            for each in self._state.documents(kind):
                self._state.remove_document(kind, each["key"])

    def ping(self, request: HttpRequest) -> HttpResponse:
        self.access.check(request)
        return HttpResponse(200, b"{}", {"Content-Type": "application/json"})

    def get_blob(self, request: HttpRequest, name: str, digest: str) -> HttpResponse:
        if self._state.document("image-blobs", f"{name}@{digest}") is None:
            raise RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry")
        file = self._file(digest)
        size = file.stat().st_size
        start, end = asked_range(request, size)
        headers = {
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
            "Accept-Ranges": "bytes",
        }
        if request.method == "HEAD":
            return HttpResponse(200, b"", headers, size)
        response = file_response(file, start, end - start, **headers)
        if (start, end) != (0, size):
            response.status = 206
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        return response

    # A blob comes in by an upload: begun, appended to, finished with the digest of the whole.

    def begin(self, request: HttpRequest, name: str) -> HttpResponse:
        mounted, source = request.query.get("mount"), request.query.get("from")
        if mounted and source and self.access.may_pull(request, source):
            if self._state.document("image-blobs", f"{source}@{mounted}"):
                return self._has_blob(request, name, mounted)
        upload = str(uuid.uuid4())
        (self._uploads / upload).touch()
        with self._lock:
            self._begun[upload] = name
        return self._upload_answer(request, name, upload, 202)

    def progress(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        self._upload(name, upload)
        return self._upload_answer(request, name, upload, 204)

    def append(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        file = self._upload(name, upload)
        _append(request, file)
        return self._upload_answer(request, name, upload, 202)

    def finish(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        file = self._upload(name, upload)
        digest = request.query.get("digest", "")
        _append(request, file)
        self._begun.pop(upload, None)
        try:
            received = _digest_of(file)
            if received != digest:
                raise RegistryError(
                    400,
                    "DIGEST_INVALID",
                    f"provided digest did not match uploaded content: {digest!r}, not {received}",
                )
            os.replace(file, self._file(digest))
        finally:
            file.unlink(missing_ok=True)
        return self._has_blob(request, name, digest)

    def give_up(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        self._upload(name, upload).unlink(missing_ok=True)
        self._begun.pop(upload, None)
        return HttpResponse(204)

    def get_manifest(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        digest: str | None = reference
        if not _DIGEST.fullmatch(reference):
            digest = self.tags(name).get(reference)
        found = self._state.document("image-manifests", f"{name}@{digest}")
        if digest is None or found is None:
            raise RegistryError(404, "MANIFEST_UNKNOWN", f"manifest {reference} is not found")
        content = self._file(digest).read_bytes()
        headers = {
            "Content-Type": found["type"],
            "Docker-Content-Digest": digest,
            "ETag": f'"{digest}"',
        }
        return HttpResponse(200, content, headers, len(content))

    def put_manifest(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        if request.body.size > _LARGEST_MANIFEST:
            raise RegistryError(413, "SIZE_INVALID", "a manifest has 4 MiB at most")
        content = request.body.read()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        self._check_manifest(name, kind, content)
        if _DIGEST.fullmatch(reference):
            if reference != digest:
                raise RegistryError(
                    400, "DIGEST_INVALID", f"the manifest is {digest}, not {reference}"
                )
        elif not _TAG.fullmatch(reference):
            raise RegistryError(400, "TAG_INVALID", f"{reference!r} is no tag")
        beside = self._uploads / str(uuid.uuid4())
        beside.write_bytes(content)
        os.replace(beside, self._file(digest))
        key = f"{name}@{digest}"
        self._state.put_document("image-manifests", key, {"key": key, "type": kind})
        if reference != digest:
            tag = {"key": f"{name}:{reference}", "tag": reference, "digest": digest}
            self._state.put_document("image-tags", tag["key"], tag)
        location = f"{request.base}/v2/{name}/manifests/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def _check_manifest(self, name: str, kind: str, content: bytes) -> None:
        """Raise `RegistryError` for one that is no manifest, or names what is not here."""
        try:
            manifest = json.loads(content)
        except ValueError as error:
            raise _invalid("it is no JSON") from error
        if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:
            raise _invalid("schemaVersion has to be 2")
        if kind not in (*_IMAGES, *_INDEXES):
            raise _invalid(f"its type {kind!r} is none of {', '.join((*_IMAGES, *_INDEXES))}")
        if manifest.get("mediaType", kind) != kind:
            raise _invalid(f"its mediaType is not {kind}")
        if kind in _INDEXES:
            for each in _descriptors(manifest, "manifests"):
                self._check_there("image-manifests", name, each, "MANIFEST_UNKNOWN")
            return
        config = manifest.get("config")
        if not isinstance(config, dict):
            raise _invalid("it has no config")
        for each in (config, *_descriptors(manifest, "layers")):
            # Layers that may not be distributed stay where their addresses say.
            if not each.get("urls"):
                self._check_there("image-blobs", name, each, "MANIFEST_BLOB_UNKNOWN")

    def _check_there(self, kind: str, name: str, part: Mapping[str, Any], code: str) -> None:
        digest = part.get("digest")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise _invalid(f"{digest!r} is no digest")
        if self._state.document(kind, f"{name}@{digest}") is None:
            raise RegistryError(400, code, f"{digest} is not in {name}")
        if part.get("size") != self._file(digest).stat().st_size:
            raise RegistryError(400, "SIZE_INVALID", f"the size of {digest} is another one")

    def _has_blob(self, request: HttpRequest, name: str, digest: str) -> HttpResponse:
        key = f"{name}@{digest}"
        self._state.put_document("image-blobs", key, {"key": key})
        location = f"{request.base}/v2/{name}/blobs/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def _upload_answer(
        self, request: HttpRequest, name: str, upload: str, status: int
    ) -> HttpResponse:
        size = (self._uploads / upload).stat().st_size
        headers = {
            "Location": f"{request.base}/v2/{name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return HttpResponse(status, headers=headers)

    def _upload(self, name: str, upload: str) -> Path:
        if self._begun.get(upload) != name:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return self._uploads / upload

    def _file(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise RegistryError(400, "DIGEST_INVALID", f"{digest!r} is no digest")
        return self._blobs / match[1]

    def _authorized(
        self, handler: Callable[..., HttpResponse], *actions: str
    ) -> Callable[..., HttpResponse]:
        def respond(request: HttpRequest, name: str, **places: str) -> HttpResponse:
            if not _NAME.fullmatch(name) or len(name) > 255:
                raise RegistryError(400, "NAME_INVALID", f"{name!r} is no name of a repository")
            self.access.check(request, name, *actions)
            return handler(request, name, **places)

        return respond


def _append(request: HttpRequest, file: Path) -> None:
    size = file.stat().st_size
    given = request.headers.get("content-range")
    if given:
        match = _CONTENT_RANGE.fullmatch(given)
        if match is None or int(match[1]) != size:
            raise RegistryError(
                416, "BLOB_UPLOAD_INVALID", f"the next byte is {size}", Range=f"0-{size - 1}"
            )
    _write(request.body, file)


def _write(body: RequestBody, file: Path) -> None:
    with open(file, "ab") as out:
        for chunk in body.chunks():
            out.write(chunk)


def _digest_of(file: Path) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as source:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _descriptors(manifest: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = manifest.get(key)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _invalid(f"it has no list of {key}")
    return found


def _invalid(why: str) -> RegistryError:
    return RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {why}")

"""A registry of images as Docker pushes to it and pulls from it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import file_digest
from azureml_standin.http.messages import (
    HttpError,
    HttpRequest,
    HttpResponse,
    RegistryError,
    file_response,
)
from azureml_standin.http.routing import Handler, Router, route, routes_of
from azureml_standin.registry.access import PULL, PUSH, RegistryAccess
from azureml_standin.state import State

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


def _authorized(methods: str, path: str, *actions: str) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of a path of a repository, for who has these rights."""

    def marked(handler: Handler) -> Handler:
        def respond(self: Registry, request: HttpRequest, name: str, **segments: str) -> Any:
            if not _NAME.fullmatch(name) or len(name) > 255:
                raise _invalid("NAME", f"invalid name of a repository: {name!r}")
            self.access.check(request, name, *actions)
            return handler(self, request, name, **segments)

        for method in methods.split():
            route(method, f"/v2/{{name*}}/{path}")(respond)
        return respond

    return marked


class Registry:
    """Files are below `folder` under their digests; the state says in which repositories."""

    def __init__(self, state: State, access: RegistryAccess, folder: Path) -> None:
        self.access = access
        self._state = state
        self._blobs, self._uploads = folder / "blobs", folder / "uploads"
        # Removes unfinished uploads of an earlier service.
        shutil.rmtree(self._uploads, ignore_errors=True)
        for each in (self._blobs, self._uploads):
            each.mkdir(parents=True, exist_ok=True)
        self._router = Router(routes_of(access, self))

    def respond(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self._router.respond(request)
        except RegistryError:
            raise
        except HttpError as error:
            raise RegistryError(error.status, "UNSUPPORTED", error.message) from error
        response.headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        return response

    @route("GET", "/v2/")
    def _ping(self, request: HttpRequest) -> dict[str, str]:
        self.access.check(request)
        return {}

    def tags(self, name: str) -> dict[str, str]:
        """Return the digest of each tag of a repository."""
        found = self._state.documents("image-tags", f"{name}:")
        return {each["tag"]: each["digest"] for each in found}

    @_authorized("POST", "blobs/uploads/", PULL, PUSH)
    def begin(self, request: HttpRequest, name: str) -> HttpResponse:
        upload = str(uuid.uuid4())
        (self._uploads / upload).touch()
        return self.append(request, name, upload=upload)

    @_authorized("PATCH", "blobs/uploads/{upload}", PULL, PUSH)
    def append(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        size = self._append(request, upload).stat().st_size
        headers = {
            "Location": f"{request.base}/v2/{name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return HttpResponse(202, headers=headers)

    @_authorized("PUT", "blobs/uploads/{upload}", PULL, PUSH)
    def finish(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        digest, file = request.query.get("digest", ""), self._append(request, upload)
        if f"sha256:{file_digest(file)}" != digest:
            raise _invalid("DIGEST", f"the content is not that of {digest!r}")
        os.replace(file, self._file(digest))
        return self._keep(request, f"{name}/blobs", digest, "application/octet-stream")

    @_authorized("PUT", "manifests/{reference}", PULL, PUSH)
    def put_manifest(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        content = request.read()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._check(name, content)
        if _DIGEST.fullmatch(reference):
            if reference != digest:
                raise _invalid("DIGEST", f"the manifest is {digest}, not {reference}")
        elif _TAG.fullmatch(reference):
            tagged = {"tag": reference, "digest": digest}
            self._state.put_document("image-tags", f"{name}:{reference}", tagged)
        else:
            raise _invalid("TAG", f"invalid tag: {reference!r}")
        new = self._uploads / f".new-{uuid.uuid4()}"
        new.write_bytes(content)
        os.replace(new, self._file(digest))
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        return self._keep(request, f"{name}/manifests", digest, kind)

    @_authorized("HEAD GET", "blobs/{digest}", PULL)
    def get_blob(self, request: HttpRequest, name: str, digest: str) -> HttpResponse:
        return self._get(name, digest, "BLOB_UNKNOWN")

    @_authorized("HEAD GET", "manifests/{reference}", PULL)
    def get_manifest(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        return self._get(name, self.tags(name).get(reference, reference), "MANIFEST_UNKNOWN")

    def _get(self, name: str, digest: str, unknown: str) -> HttpResponse:
        found = self._state.document("images", f"{name}@{digest}")
        if found is None:
            raise RegistryError(404, unknown, f"{digest} is unknown to the registry")
        file = self._file(digest)
        headers = {"Content-Type": found["type"], "Docker-Content-Digest": digest}
        return file_response(file, 0, file.stat().st_size, headers)

    def _keep(self, request: HttpRequest, path: str, digest: str, kind: str) -> HttpResponse:
        name = path.rpartition("/")[0]
        self._state.put_document("images", f"{name}@{digest}", {"type": kind})
        location = f"{request.base}/v2/{path}/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def _append(self, request: HttpRequest, upload: str) -> Path:
        file = self._uploads / upload
        if not file.exists():
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        with open(file, "ab") as out:
            out.writelines(request.chunks())
        return file

    def _file(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise _invalid("DIGEST", f"invalid digest: {digest!r}")
        return self._blobs / match[1]

    def _check(self, name: str, content: bytes) -> None:
        """Raise `RegistryError` for an invalid manifest, or one that names what is not here."""
        try:
            manifest = json.loads(content)
            parts = manifest.get("manifests") or [manifest["config"], *manifest["layers"]]
            described = [(str(part["digest"]), int(part["size"])) for part in parts]
        except (KeyError, TypeError, ValueError) as error:
            raise _invalid("MANIFEST", f"manifest invalid: {error!r}") from error
        for digest, size in described:
            if self._state.document("images", f"{name}@{digest}") is None:
                raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", f"{digest} is not in {name}")
            if size != self._file(digest).stat().st_size:
                raise _invalid("SIZE", f"the size of {digest} is different")


def _invalid(what: str, message: str) -> RegistryError:
    return RegistryError(400, f"{what}_INVALID", message)

"""Images as files under their digests: uploads on their way in, blobs and manifests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from pathlib import Path

from azureml_standin.http.messages import HttpRequest, HttpResponse, RegistryError, file_response
from azureml_standin.state import State

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class Images:
    """Files are below `folder`; the state says in which repositories they are."""

    def __init__(self, state: State, folder: Path) -> None:
        self._state = state
        self._blobs, self._uploads = folder / "blobs", folder / "uploads"
        # Removes unfinished uploads of an earlier service.
        shutil.rmtree(self._uploads, ignore_errors=True)
        for each in (self._blobs, self._uploads):
            each.mkdir(parents=True, exist_ok=True)

    def tags(self, name: str) -> dict[str, str]:
        """Return the digest of each tag of a repository."""
        found = self._state.documents("image-tags", f"{name}:")
        return {each["tag"]: each["digest"] for each in found}

    def begin(self, request: HttpRequest, name: str) -> HttpResponse:
        upload = str(uuid.uuid4())
        (self._uploads / upload).touch()
        return self._accepted(request, name, upload)

    def append(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        self._append(request, upload)
        return self._accepted(request, name, upload)

    def finish(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        digest, file = request.query.get("digest", ""), self._append(request, upload)
        with open(file, "rb") as source:
            found = f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}"
        if found != digest:
            raise RegistryError(400, "DIGEST_INVALID", f"the content is not that of {digest!r}")
        os.replace(file, self._file(digest))
        return self._keep(request, name, digest, "application/octet-stream", "blobs")

    def put_manifest(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        content = request.read()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._check(name, content)
        if not _DIGEST.fullmatch(reference):
            if not _TAG.fullmatch(reference):
                raise RegistryError(400, "TAG_INVALID", f"invalid tag: {reference!r}")
            tagged = {"tag": reference, "digest": digest}
            self._state.put_document("image-tags", f"{name}:{reference}", tagged)
        elif reference != digest:
            raise RegistryError(400, "DIGEST_INVALID", f"the manifest is {digest}, not {reference}")
        new = self._uploads / f".new-{uuid.uuid4()}"
        new.write_bytes(content)
        os.replace(new, self._file(digest))
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        return self._keep(request, name, digest, kind, "manifests")

    def get_blob(self, request: HttpRequest, name: str, digest: str) -> HttpResponse:
        return self._get(request, name, digest, "BLOB_UNKNOWN")

    def get_manifest(self, request: HttpRequest, name: str, reference: str) -> HttpResponse:
        return self._get(
            request, name, self.tags(name).get(reference, reference), "MANIFEST_UNKNOWN"
        )

    def _get(self, request: HttpRequest, name: str, digest: str, unknown: str) -> HttpResponse:
        found = self._state.document("images", f"{name}@{digest}")
        if found is None:
            raise RegistryError(404, unknown, f"{digest} is unknown to the registry")
        file = self._file(digest)
        size = file.stat().st_size
        headers = {"Content-Type": found["type"], "Docker-Content-Digest": digest}
        if request.method == "HEAD":
            return HttpResponse(200, b"", headers, size)
        return file_response(file, 0, size, headers)

    def _keep(
        self, request: HttpRequest, name: str, digest: str, kind: str, path: str
    ) -> HttpResponse:
        self._state.put_document("images", f"{name}@{digest}", {"type": kind})
        location = f"{request.base}/v2/{name}/{path}/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def _accepted(self, request: HttpRequest, name: str, upload: str) -> HttpResponse:
        size = (self._uploads / upload).stat().st_size
        headers = {
            "Location": f"{request.base}/v2/{name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return HttpResponse(202, headers=headers)

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
            raise RegistryError(400, "DIGEST_INVALID", f"invalid digest: {digest!r}")
        return self._blobs / match[1]

    def _check(self, name: str, content: bytes) -> None:
        """Raise `RegistryError` for an invalid manifest, or one that names what is not here."""
        try:
            manifest = json.loads(content)
            parts = manifest.get("manifests") or [manifest["config"], *manifest["layers"]]
            described = [(str(part["digest"]), int(part["size"])) for part in parts]
        except (KeyError, TypeError, ValueError) as error:
            raise RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {error!r}") from error
        for digest, size in described:
            if self._state.document("images", f"{name}@{digest}") is None:
                raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", f"{digest} is not in {name}")
            if size != self._file(digest).stat().st_size:
                raise RegistryError(400, "SIZE_INVALID", f"the size of {digest} is different")

"""Images as files: blobs and manifests under their digests, and whose they are."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from pathlib import Path
from typing import Any

from azureml_standin.http.messages import HttpRequest, HttpResponse, RegistryError
from azureml_standin.state import State

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class ImageStore:
    """Files are in `folder`; the state says in which repositories they are."""

    def __init__(self, state: State, folder: Path) -> None:
        self._state = state
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def tags(self, name: str) -> dict[str, str]:
        """Return the digest of each tag of a repository."""
        found = self._state.documents("image-tags", f"{name}:")
        return {each["tag"]: each["digest"] for each in found}

    def file(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise RegistryError(400, "DIGEST_INVALID", f"invalid digest: {digest!r}")
        return self._folder / match[1]

    def has_blob(self, name: str, digest: str) -> bool:
        return self._state.document("image-blobs", f"{name}@{digest}") is not None

    def add_blob(self, request: HttpRequest, name: str, digest: str) -> HttpResponse:
        """Add a blob to a repository. Its file must exist."""
        key = f"{name}@{digest}"
        self._state.put_document("image-blobs", key, {})
        location = f"{request.base}/v2/{name}/blobs/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def manifest(self, name: str, digest: str) -> dict[str, Any] | None:
        """Return what is known of a manifest: its media type, as `type`."""
        return self._state.document("image-manifests", f"{name}@{digest}")

    def add_manifest(self, name: str, digest: str, kind: str, content: bytes) -> None:
        new = self._folder / f".new-{uuid.uuid4()}"
        new.write_bytes(content)
        os.replace(new, self.file(digest))
        self._state.put_document("image-manifests", f"{name}@{digest}", {"type": kind})

    def tag(self, name: str, tag: str, digest: str) -> None:
        self._state.put_document("image-tags", f"{name}:{tag}", {"tag": tag, "digest": digest})


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def digest_of(file: Path) -> str:
    with open(file, "rb") as source:
        return f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}"

"""Manifests of images: read, check and keep them."""

from __future__ import annotations

import hashlib
import json
import re

from azureml_standin.http.messages import HttpRequest, HttpResponse, RegistryError
from azureml_standin.registry.store import ImageStore, is_digest

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

"""Manifests of images: read, check and keep them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from azureml_standin.http.errors import RegistryError
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.registry.store import ImageStore, is_digest

_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
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
        if request.body.size > _LARGEST_MANIFEST:
            raise RegistryError(413, "SIZE_INVALID", "a manifest has 4 MiB at most")
        content = request.body.read()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        self._check(name, kind, content)
        if is_digest(reference):
            if reference != digest:
                raise RegistryError(
                    400, "DIGEST_INVALID", f"the manifest is {digest}, not {reference}"
                )
        elif not _TAG.fullmatch(reference):
            raise RegistryError(400, "TAG_INVALID", f"invalid tag: {reference!r}")
        self._images.add_manifest(name, digest, kind, content)
        if reference != digest:
            self._images.tag(name, reference, digest)
        location = f"{request.base}/v2/{name}/manifests/{digest}"
        return HttpResponse(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def _check(self, name: str, kind: str, content: bytes) -> None:
        """Raise `RegistryError` for an invalid manifest, or one that names what is not here."""
        try:
            manifest = json.loads(content)
        except ValueError as error:
            raise _invalid("it is not JSON") from error
        if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:
            raise _invalid("schemaVersion must be 2")
        if kind not in (*_IMAGES, *_INDEXES):
            raise _invalid(f"its type {kind!r} is none of {', '.join((*_IMAGES, *_INDEXES))}")
        if manifest.get("mediaType", kind) != kind:
            raise _invalid(f"its mediaType is not {kind}")
        if kind in _INDEXES:
            for part in _descriptors(manifest, "manifests"):
                is_here = self._images.manifest(name, _digest(part)) is not None
                self._check_part(name, part, is_here, "MANIFEST_UNKNOWN")
            return
        config = manifest.get("config")
        if not isinstance(config, dict):
            raise _invalid("it has no config")
        for part in (config, *_descriptors(manifest, "layers")):
            # Layers that may not be distributed stay where their addresses say.
            if not part.get("urls"):
                is_here = self._images.has_blob(name, _digest(part))
                self._check_part(name, part, is_here, "MANIFEST_BLOB_UNKNOWN")

    def _check_part(self, name: str, part: Mapping[str, Any], is_here: bool, code: str) -> None:
        digest = _digest(part)
        if not is_here:
            raise RegistryError(400, code, f"{digest} is not in {name}")
        if part.get("size") != self._images.file(digest).stat().st_size:
            raise RegistryError(400, "SIZE_INVALID", f"the size of {digest} is different")


def _digest(part: Mapping[str, Any]) -> str:
    digest = part.get("digest")
    if not isinstance(digest, str) or not is_digest(digest):
        raise _invalid(f"invalid digest: {digest!r}")
    return digest


def _descriptors(manifest: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = manifest.get(key)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _invalid(f"it has no list of {key}")
    return found


def _invalid(why: str) -> RegistryError:
    return RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {why}")

"""The blobs, whoever asks for them."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from azureml_standin.state import BlobRecord, State
from azureml_standin.storage.access import StorageAccess


class Blobs:
    """`live` returns blobs by prefix that are files of jobs, as they grow."""

    live: Callable[[str, str], Iterable[BlobRecord]]

    def __init__(self, state: State, access: StorageAccess) -> None:
        self.state = state
        self.access = access

    def blob(self, container: str, name: str) -> BlobRecord | None:
        live = (blob for blob in self.live(container, name) if blob.name == name)
        return self.state.blob(container, name) or next(live, None)

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        """Return blobs whose name begins with `prefix`, in the order of names."""
        found = {blob.name: blob for blob in self.live(container, prefix)}
        found.update((blob.name, blob) for blob in self.state.blobs(container, prefix))
        return [found[name] for name in sorted(found)]

    def keep(self, chunks: Iterable[bytes]) -> tuple[Path, str, int]:
        """Keep bytes in a file named by their digest; return it, the MD5 (base64) and the size."""
        descriptor, new = tempfile.mkstemp(prefix=".new-", dir=self.state.contents)
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        try:
            with open(descriptor, "wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    for take in (file.write, sha256.update, md5.update):
                        take(chunk)
            final = self.state.content_file(sha256.hexdigest())
            final.parent.mkdir(exist_ok=True)
            os.replace(new, final)
        except BaseException:
            os.unlink(new)
            raise
        return final, base64.b64encode(md5.digest()).decode(), size

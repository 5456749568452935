"""What the service holds, in one database file: documents of the control plane, and blobs."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, UNIQUE (kind, key));
"""
OCTETS = "application/octet-stream"


def new_etag() -> str:
    return f'"0x{uuid.uuid4().hex[:16].upper()}"'


@dataclass
class BlobRecord:
    """A blob without its bytes. `md5` is base64 of the digest; empty when it was never known.

    `file` is where the bytes are. `kind` is `BlockBlob`, or `AppendBlob` for a log that grows.
    """

    container: str
    name: str
    size: int
    md5: str
    file: Path
    content_type: str = OCTETS
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: str = "BlockBlob"
    etag: str = field(default_factory=new_etag)
    modified: float = field(default_factory=time.time)


class State:
    """Kept in `folder`. `lock` makes what reads and then writes one step."""

    def __init__(self, folder: Path) -> None:
        self.contents = folder / "contents"
        self.contents.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._database = sqlite3.connect(
            folder / "state.sqlite3", check_same_thread=False, isolation_level=None
        )
        # A stand-in that loses its last second in a power cut is good enough.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_TABLE)

    def close(self) -> None:
        with self.lock:
            self._database.close()

    def forget(self) -> None:
        """Forget everything but who may sign in, and the containers; for tests."""
        self._rows("DELETE FROM documents WHERE kind NOT IN ('service', 'containers')")

    def document(self, kind: str, key: str) -> dict[str, Any] | None:
        rows = self._rows("SELECT content FROM documents WHERE kind = ? AND key = ?", kind, key)
        return json.loads(rows[0][0]) if rows else None

    def documents(self, kind: str, prefix: str = "") -> list[dict[str, Any]]:
        """Return documents whose key begins with `prefix`, in the order of their creation."""
        chosen = "kind = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY number"
        values = (kind, prefix, len(prefix), prefix)
        rows = self._rows(f"SELECT content FROM documents WHERE {chosen}", *values)
        return [json.loads(row[0]) for row in rows]

    def put_document(self, kind: str, key: str, content: Mapping[str, Any]) -> None:
        insert = "INSERT INTO documents (kind, key, content) VALUES (?, ?, ?)"
        update = "ON CONFLICT (kind, key) DO UPDATE SET content = excluded.content"
        self._rows(f"{insert} {update}", kind, key, json.dumps(content))

    def remove_document(self, kind: str, key: str) -> None:
        self._rows("DELETE FROM documents WHERE kind = ? AND key = ?", kind, key)

    def has_container(self, name: str) -> bool:
        return self.document("containers", name) is not None

    def containers(self) -> list[str]:
        return sorted(each["name"] for each in self.documents("containers"))

    def add_container(self, name: str) -> None:
        self.put_document("containers", name, {"name": name})

    def blob(self, container: str, name: str) -> BlobRecord | None:
        found = self.document("blobs", f"{container}/{name}")
        return self._record(found) if found else None

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        return [self._record(each) for each in self.documents("blobs", f"{container}/{prefix}")]

    def put_blob(self, blob: BlobRecord) -> None:
        content = {**asdict(blob), "file": blob.file.name}
        self.put_document("blobs", f"{blob.container}/{blob.name}", content)

    def remove_blob(self, container: str, name: str) -> None:
        self.remove_document("blobs", f"{container}/{name}")

    def content_file(self, sha256: str) -> Path:
        return self.contents / sha256[:2] / sha256

    def _record(self, found: Mapping[str, Any]) -> BlobRecord:
        return BlobRecord(**{**found, "file": self.content_file(found["file"])})

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        with self.lock:
            return self._database.execute(statement, values).fetchall()


def file_chunks(file: Path) -> Iterator[bytes]:
    with open(file, "rb") as source:
        while chunk := source.read(1 << 20):
            yield chunk


def file_md5(file: Path) -> str:
    """Return the MD5 of a file, as base64."""
    with open(file, "rb") as source:
        digest = hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False))
    return base64.b64encode(digest.digest()).decode()

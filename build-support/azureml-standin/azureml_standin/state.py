"""What the service holds, in one database file: documents of the control plane, and blobs."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS containers (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS blobs (
  container TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  md5 TEXT NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, content_type TEXT NOT NULL,
  metadata TEXT NOT NULL, PRIMARY KEY (container, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
  container TEXT NOT NULL, name TEXT NOT NULL, block TEXT NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (container, name, block)) WITHOUT ROWID;
"""


@dataclass
class BlobRecord:
    """A blob without its bytes. `md5` is base64 of the digest; empty when it was never known.

    `file` is where the bytes are. `kind` is `BlockBlob`, or `AppendBlob` for a log that grows.
    """

    container: str
    name: str
    size: int
    md5: str
    etag: str
    modified: float
    file: Path
    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: str = "BlockBlob"


class State:
    """Kept in `folder`. `lock` makes what reads and then writes one step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contents = folder / "contents"
        self.contents.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._database = sqlite3.connect(
            folder / "state.sqlite3", check_same_thread=False, isolation_level=None
        )
        self._database.row_factory = sqlite3.Row
        # A stand-in that loses its last second in a power cut is good enough.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        with self.lock:
            self._database.close()

    def document(self, kind: str, key: str) -> dict[str, Any] | None:
        rows = self._rows("SELECT content FROM documents WHERE kind = ? AND key = ?", kind, key)
        return json.loads(rows[0]["content"]) if rows else None

    def documents(self, kind: str, prefix: str = "") -> list[dict[str, Any]]:
        """Return documents whose key begins with `prefix`, in the order of their creation."""
        values = (kind, len(prefix), prefix)
        rows = self._rows(
            "SELECT content FROM documents WHERE kind = ? AND substr(key, 1, ?) = ? "
            "ORDER BY number",
            *values,
        )
        return [json.loads(row["content"]) for row in rows]

    def put_document(self, kind: str, key: str, content: Mapping[str, Any]) -> None:
        insert = "INSERT INTO documents (kind, key, content) VALUES (?, ?, ?)"
        update = "ON CONFLICT (kind, key) DO UPDATE SET content = excluded.content"
        self._rows(f"{insert} {update}", kind, key, json.dumps(content))

    def remove_document(self, kind: str, key: str) -> None:
        self._rows("DELETE FROM documents WHERE kind = ? AND key = ?", kind, key)

    def has_container(self, name: str) -> bool:
        return bool(self._rows("SELECT 1 FROM containers WHERE name = ?", name))

    def containers(self) -> list[str]:
        return [row["name"] for row in self._rows("SELECT name FROM containers ORDER BY name")]

    def add_container(self, name: str) -> None:
        self._rows("INSERT OR IGNORE INTO containers VALUES (?)", name)

    def blob(self, container: str, name: str) -> BlobRecord | None:
        rows = self._rows("SELECT * FROM blobs WHERE container = ? AND name = ?", container, name)
        return self._record(rows[0]) if rows else None

    def blobs(self, container: str, prefix: str = "") -> list[BlobRecord]:
        """Return blobs in the order of their names."""
        chosen = "WHERE container = ? AND substr(name, 1, ?) = ? ORDER BY name"
        rows = self._rows(f"SELECT * FROM blobs {chosen}", container, len(prefix), prefix)
        return [self._record(row) for row in rows]

    def put_blob(self, blob: BlobRecord, sha256: str) -> None:
        metadata = json.dumps(dict(blob.metadata))
        where, what = (blob.container, blob.name), (blob.size, sha256, blob.md5, blob.etag)
        values = (*where, *what, blob.modified, blob.content_type, metadata)
        self._rows("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def remove_blob(self, container: str, name: str) -> None:
        self._rows("DELETE FROM blobs WHERE container = ? AND name = ?", container, name)

    def put_block(self, container: str, name: str, block: str, sha256: str) -> None:
        insert = "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)"
        self._rows(insert, container, name, block, sha256)

    def blocks(self, container: str, name: str) -> dict[str, str]:
        """The sha256 of each block that waits to be committed."""
        rows = self._rows("SELECT * FROM blocks WHERE container = ? AND name = ?", container, name)
        return {row["block"]: row["sha256"] for row in rows}

    def forget_blocks(self, container: str, name: str) -> None:
        self._rows("DELETE FROM blocks WHERE container = ? AND name = ?", container, name)

    def content_file(self, sha256: str) -> Path:
        return self.contents / sha256[:2] / sha256

    def _record(self, row: sqlite3.Row) -> BlobRecord:
        known = {key: row[key] for key in row.keys() if key not in ("sha256", "metadata")}
        file, metadata = self.content_file(row["sha256"]), json.loads(row["metadata"])
        return BlobRecord(**known, file=file, metadata=metadata)

    def _rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self.lock:
            return self._database.execute(statement, values).fetchall()

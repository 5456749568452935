"""What the snapshots that were sent from here contain: storage copies unchanged files from them.

There is a file in `.azureml/sent-snapshots` for each workspace. It names contents and where they
are, and nothing that would let anybody read them. Without it, everything is sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.azure.blobs import CopySource
from azureml_jobs.azure.datastores import Account
from azureml_jobs.azure.send_files import LocalFile
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.typed_json import read_data, write_data
from azureml_jobs.base.workspace_config import AzureWorkspace

_FORMAT = 1
_FOLDER = "sent-snapshots"
# Room for several experiments; at most some megabytes are read and written.
_MOST_SNAPSHOTS = 20
_MOST_FILES = 20_000


@dataclass(frozen=True)
class _Snapshot:
    """`container` is its address; `files` are names of blobs by the sha256 of their content."""

    container: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class _Record:
    format: int
    snapshots: tuple[_Snapshot, ...]


class EarlierSnapshots:
    """`local` is the folder `.azureml`. Contents are known by their sha256."""

    def __init__(self, local: Path, workspace: AzureWorkspace) -> None:
        digest = hashlib.sha256(f"{workspace.cloud} {workspace.resource_id}".lower().encode())
        self._file = local / _FOLDER / f"{digest.hexdigest()[:16]}.json"
        self._snapshots = self._read()
        self._lock = threading.Lock()

    def have(self, content: str) -> bool:
        return any(content in each.files for each in self._snapshots)

    def sources(
        self, account: Account, files: Iterable[LocalFile], contents: Mapping[str, str]
    ) -> dict[LocalFile, CopySource]:
        """Return from where to copy which files, where that sends fewer bytes than they have.

        `contents` are their sha256 by name.
        """
        found = {}
        for file in files:
            for each in self._snapshots:
                address, _, container = each.container.rpartition("/")
                name = each.files.get(contents[file.name])
                if name is not None and address == account.address:
                    source = account.copy_source(container, name)
                    if source.saves_bytes(file.size):
                        found[file] = source
                    break
        return found

    def remember(self, container: str, prefix: str, contents: Mapping[str, str]) -> None:
        """Record a snapshot that is complete in the container of this address, below `prefix`.

        What cannot be recorded is only sent again. Of two processes at once, one records it.
        """
        sent = _Snapshot(container, {each: f"{prefix}{name}" for name, each in contents.items()})
        with self._lock, contextlib.suppress(OSError):
            kept, room = [], _MOST_FILES
            # What another process has written meanwhile is kept.
            for snapshot in [sent, *self._read()][:_MOST_SNAPSHOTS]:
                room -= len(snapshot.files)
                if room >= 0:
                    kept.append(snapshot)
            make_folder(self._file.parent)
            write_data(self._file, _Record(_FORMAT, tuple(kept)))

    def _read(self) -> tuple[_Snapshot, ...]:
        """Return the newest first; none when the file is damaged, or of another version."""
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            known = read_data(_Record, self._file)
            if known.format == _FORMAT:
                return known.snapshots
        return ()

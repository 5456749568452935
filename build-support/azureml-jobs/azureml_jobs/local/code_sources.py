"""Find the files of the repository that a job's copy of the code is from."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.manifest_file import units_of
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord

_FRAME = re.compile(rb'(?<=File ")([^"\n]+)(?=", line \d)')
# The beginning of such a line.
_UNFINISHED = re.compile(rb'[ |]*(?:F|Fi|Fil|File|File |File ".*)?')
_LONGEST_LINE = 65536


class CodeSources:
    """The sources of one job. Its manifest is read when something first asks for them."""

    def __init__(self, folder: JobFolder, record: JobRecord) -> None:
        self._folder = folder
        self._record = record
        self.repository = folder.root.parent
        # Python resolves links to the folder in which it starts.
        works = [str(folder.work), os.path.realpath(folder.work)]
        if record.container:
            works = [record.container.work]
        self._works = [f"{work}/" for work in works]

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return self._folder.manifest(self._record)

    @property
    def job_file(self) -> str:
        return str(self._manifest["job_file"])

    @cached_property
    def files(self) -> dict[str, str]:
        """The paths in the repository, by names relative to where the command starts."""
        for unit in units_of(self._manifest):
            snapshot = unit.get("snapshot") or {}
            if snapshot.get("sha256") == self._record.snapshot:
                return {file["path"]: file["source"] for file in snapshot["files"]}
        return {}

    def name_of(self, path: str) -> str | None:
        """Return an absolute path relative to where the command starts, if it is below."""
        for work in self._works:
            if path.startswith(work):
                return path[len(work) :]
        return None

    def folders(self) -> Iterator[tuple[str, str]]:
        """Yield folders of the copy, each with one of the repository that it is from."""
        for name, source in self.files.items():
            here, there = posixpath.dirname(name), posixpath.dirname(source)
            yield here, there
            while here and posixpath.basename(here) == posixpath.basename(there):
                here, there = posixpath.dirname(here), posixpath.dirname(there)
                yield here, there


class SourcePaths:
    """Puts the repository's files into the tracebacks of one stream, so that a click opens them."""

    def __init__(self, sources: CodeSources) -> None:
        self._sources = sources
        self._rest = b""

    def take(self, data: bytes) -> bytes:
        """Return what is complete; without `data`, at the end, the rest."""
        is_end = not data
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        # Only a line that is in a traceback has to wait for its end.
        if is_end or not _UNFINISHED.fullmatch(data, end) or len(data) - end > _LONGEST_LINE:
            end = len(data)
        self._rest = data[end:]
        return _FRAME.sub(self._source, data[:end])

    def _source(self, match: re.Match[bytes]) -> bytes:
        name = self._sources.name_of(os.fsdecode(match[0]))
        source = self._sources.files.get(name) if name else None
        path = Path(self._sources.repository, source) if source else None
        return os.fsencode(path) if path and path.is_file() else match[0]

"""Logs, artifacts and outputs of jobs as blobs, where Azure ML keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import files_below
from azureml_standin.control_plane.descriptions import (
    ARTIFACT_CONTAINER,
    BLOB_CONTAINER,
)
from azureml_standin.execution.runs import LOGS_OF_PARENT, Runs
from azureml_standin.state import BlobRecord
from azureml_standin.storage.live_files import live_blob


class JobBlobs:

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def blob(self, container: str, name: str) -> BlobRecord | None:
        job = _job_of(container, name)
        if job is None:
            return None
        found = [each for each in self._of(job, container) if each.name == name]
        return found[0] if found else None

    def blobs(self, container: str, prefix: str) -> Iterable[BlobRecord]:
        job = _job_of(container, prefix)
        if job is None:
            return []
        return [each for each in self._of(job, container) if each.name.startswith(prefix)]

    def _of(self, job: str, container: str) -> Iterable[BlobRecord]:
        folder = self._runs.folder(job)
        is_final = self._runs.view(job).has_ended
        if container == ARTIFACT_CONTAINER:
            kept = [*artifacts(folder), *files_below(folder.path / LOGS_OF_PARENT)]
            files = [(f"ExperimentRun/dcid.{job}/{name}", path) for name, path in kept]
        else:
            files = [
                (f"azureml/{job}/{path.relative_to(folder.outputs).as_posix()}", path)
                for path in sorted(folder.outputs.rglob("*"))
            ]
        for name, path in files:
            if path.is_file():
                blob = live_blob(container, name, path, is_final)
                if blob is not None:
                    yield blob


def _job_of(container: str, name: str) -> str | None:
    patterns = {
        ARTIFACT_CONTAINER: r"ExperimentRun/dcid\.([a-zA-Z0-9_-]+)(?:/.*)?",
        BLOB_CONTAINER: r"azureml/([a-zA-Z0-9_-]+)(?:/.*)?",
    }
    match = re.fullmatch(patterns.get(container, "(?!)"), name, re.DOTALL)
    return match[1] if match else None

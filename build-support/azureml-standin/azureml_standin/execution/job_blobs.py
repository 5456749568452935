"""Logs, artifacts and outputs of jobs as blobs, where Azure ML keeps them."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import files_below
from azureml_standin.control_plane.datastores import ARTIFACT_CONTAINER, artifact_prefix
from azureml_standin.execution.runs import LOGS_OF_PARENT, Runs
from azureml_standin.state import BlobRecord, file_md5

_JOB = re.compile(r"(ExperimentRun/dcid\.|azureml/)([a-zA-Z0-9_-]+)(/.*)?", re.DOTALL)


def job_blobs(runs: Runs, container: str, prefix: str) -> Iterator[BlobRecord]:
    """Yield blobs whose names begin with `prefix`, all of which is of one job."""
    match = _JOB.fullmatch(prefix)
    is_artifact = container == ARTIFACT_CONTAINER
    if match is None or match[1].startswith("Exp") is not is_artifact:
        return
    job = match[2]
    folder = runs.folder(job)
    is_final = runs.view(job).has_ended
    if is_artifact:
        base, files = artifact_prefix(job), artifacts(folder)
        files += files_below(folder.path / LOGS_OF_PARENT)
    else:
        base, files = f"azureml/{job}", list(files_below(folder.outputs))
    for path, file in files:
        name = f"{base}/{path}"
        if name.startswith(prefix) and file.is_file():
            with contextlib.suppress(FileNotFoundError):
                yield _live_blob(container, name, file, is_final)


def _live_blob(container: str, name: str, file: Path, is_final: bool) -> BlobRecord:
    """Return a file of a job as a blob. Only a final one has its MD5.

    Logs are appended to while the job runs, as Azure ML writes them; other files are replaced.
    """
    state = file.stat()
    md5 = _known_md5(file, state.st_size, state.st_mtime_ns) if is_final else ""
    return BlobRecord(
        container,
        name,
        state.st_size,
        md5,
        file,
        kind="AppendBlob" if "/user_logs/" in name and not is_final else "BlockBlob",
        etag=f'"0x{state.st_mtime_ns:X}{state.st_size:X}"',
        modified=state.st_mtime,
    )


@functools.cache
def _known_md5(file: Path, size: int, changed: int) -> str:
    return file_md5(file)

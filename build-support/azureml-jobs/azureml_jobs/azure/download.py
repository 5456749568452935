"""Download what a job in Azure produced: several files at once, checked, and resumable."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from azureml_jobs.azure.blobs import Blob, Container, file_md5, is_safe_name
from azureml_jobs.azure.datastores import DatastorePath, Datastores
from azureml_jobs.azure.job_outputs import selected_outputs
from azureml_jobs.azure.rows import children_of_job
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.jobs import DEFAULT_OUTPUT, DownloadResult, check_empty_folder
from azureml_jobs.base.parallel import Task, run_all
from azureml_jobs.base.progress import Progress

_WORKERS = 8
# Gone, another version than the one that was listed, or shorter than that.
_CHANGED = frozenset({404, 412, 416})
# How often a file that a job is writing is downloaded again.
_VERSIONS = 5


@dataclass(frozen=True)
class RemoteFile:
    """`path` is relative to the folder that is downloaded to."""

    container: Container
    blob: Blob
    path: str


def download(
    workspace: ConnectedWorkspace, name: str, destination: Path, output_name: str | None
) -> DownloadResult:
    """Download all outputs of a job and of its children, or one of its own, to `destination`.

    The layout is that of the local workspace and of `az ml job download --all`; a child's files are
    below `steps/<step>`. While a job runs, files that change are downloaded again, and files that
    disappear are left out. The folder appears when it is complete; an interrupted download leaves
    its parts next to it, and the same command resumes it. Raises `JobError` when `destination` is
    in use, or there is no such output.
    """
    check_empty_folder(destination)
    job = job_of(workspace, name)
    folders = {name: ""}
    if output_name is None:
        for child in children_of_job(workspace, job):
            folders[child.row["name"]] = f"steps/{child.label.replace('/', '/steps/')}/"
    datastores = Datastores(workspace)
    found: dict[str, list[RemoteFile]] = {each: [] for each in folders}

    def add_files(each: str) -> None:
        outputs = selected_outputs(workspace, job_of(workspace, each), output_name)
        for output, address in outputs.items():
            below = "artifacts" if output == DEFAULT_OUTPUT else f"named-outputs/{output}"
            found[each] += files_at(datastores, address, f"{folders[each]}{below}")

    tasks = [Task(0, partial(add_files, each)) for each in folders]
    run_all(tasks, _WORKERS, Progress("Listing", len(tasks), 0))
    files = [file for each in found.values() for file in each]
    status = str(job["properties"]["status"])
    left_out = download_files(files, destination, status in ENDED)
    return DownloadResult(len(files) - len(left_out), status, tuple(left_out))


def files_at(datastores: Datastores, address: str, below: str) -> list[RemoteFile]:
    """Return the files at an `azureml://` address, to be written below a folder.

    Raises `JobError` for any other address.
    """
    source = datastores.resolve(address)
    if source is None:
        raise JobError(address, "only data of a datastore can be downloaded", "Fetch it yourself.")
    found = []
    for blob in source.container.list(source.path.rstrip("/")):
        name = _relative_name(source, blob)
        if name is None:
            continue
        if not is_safe_name(name):
            raise OutsideError(
                blob.name, "a file of this name would be written outside of the folder"
            )
        found.append(RemoteFile(source.container, blob, f"{below}/{name}" if below else name))
    return found


def _relative_name(source: DatastorePath, blob: Blob) -> str | None:
    """Return a blob's name relative to a path, None when it only starts with the same letters."""
    folder = source.path.rstrip("/")
    if blob.name == folder:
        # The address is of one file. Folders of Data Lake are blobs without content.
        return folder.rpartition("/")[2] if blob.size else None
    rest = blob.name[len(folder) :] if folder else f"/{blob.name}"
    if not rest.startswith("/") or rest.endswith("/"):
        return None
    return rest[1:]


def download_files(files: list[RemoteFile], destination: Path, is_final: bool = True) -> list[str]:
    """Download `files` into a folder that appears when all of them are there.

    Unless they are final, those that change are downloaded again. Those that disappear, or change
    all the time, are left out and returned.
    """
    destination = destination.absolute()
    partial_folder = destination.parent / f".{destination.name}.part"
    left_out: list[str] = []
    try:
        make_folder(partial_folder)
        size = sum(file.blob.size for file in files)
        progress = Progress("Receiving", len(files), size)
        fetch = partial(_fetch if is_final else _fetch_changing, partial_folder, progress)
        if not is_final:
            fetch = partial(fetch, left_out)
        # Bytes are counted as they come, so that a large file shows how far it is.
        run_all([Task(0, partial(fetch, file)) for file in files], _WORKERS, progress)
        _remove_others(partial_folder, {file.path for file in files} - set(left_out))
        if destination.exists():
            destination.rmdir()
        os.rename(partial_folder, destination)
    except OSError as error:
        raise OutsideError(
            str(destination),
            f"the download failed: {error.strerror or error}",
            "Give the same command again to resume it.",
        ) from error
    return sorted(left_out)


def _fetch_changing(
    folder: Path, progress: Progress, left_out: list[str], file: RemoteFile
) -> None:
    """Fetch a file of a running job, or add its path to `left_out`."""
    wanted = file
    for _ in range(_VERSIONS):
        try:
            return _fetch(folder, progress, wanted)
        except ServiceError as error:
            if error.status_code not in _CHANGED:
                raise
        newest = _newest(file)
        if newest is None:
            break
        wanted = newest
    left_out.append(file.path)


def _newest(file: RemoteFile) -> RemoteFile | None:
    """Return a file as it is now, None when it is gone."""
    name = file.blob.name
    found = [blob for blob in file.container.list(name) if blob.name == name]
    return replace(file, blob=found[0]) if found else None


def _fetch(folder: Path, progress: Progress, file: RemoteFile) -> None:
    target = folder / file.path
    blob = file.blob
    # Of the right size alone, it could be of another version.
    if target.is_file() and target.stat().st_mtime == blob.changed and _is_whole(target, blob):
        progress.advance(blob.size, files=0)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # The version is part of the name: parts of another one are no use.
    version = hashlib.sha256(f"{blob.etag} {blob.size}".encode()).hexdigest()[:12]
    part = target.with_name(f".{target.name[:200]}.{version}")
    try:
        _receive(file, part, progress)
    except ServiceError as error:
        what = f"the file could not be downloaded: {error.what}. The same command resumes it"
        raise error.about(file.path, what) from error
    os.utime(part, (blob.changed, blob.changed))
    os.replace(part, target)


def _receive(file: RemoteFile, part: Path, progress: Progress) -> None:
    blob, attempts = file.blob, 0
    with contextlib.suppress(FileNotFoundError):
        progress.advance(part.stat().st_size, files=0)
    while True:
        with open(part, "ab") as out:
            out.seek(0, os.SEEK_END)
            start = out.tell()

            def write(data: bytes, out: Any = out) -> None:
                out.write(data)
                progress.advance(len(data), files=0)

            if start < blob.size:
                try:
                    file.container.read(blob, start, write)
                except ServiceError as error:
                    # What arrived is kept. While something arrives, continue.
                    if error.status_code or out.tell() == start:
                        raise
                    continue
        if _is_whole(part, blob):
            return
        progress.advance(-part.stat().st_size, files=0)
        part.unlink()
        attempts += 1
        if attempts == 2:
            raise OutsideError(
                file.path, "what arrived is not what is stored: the size or the MD5 differs"
            )


def _is_whole(path: Path, blob: Blob) -> bool:
    return path.stat().st_size == blob.size and (not blob.md5 or file_md5(path) == blob.md5)


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Remove parts of other versions, from an earlier attempt."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()

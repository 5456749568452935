"""Download what a job in Azure produced: several files at once, checked, and to be gone on with."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from azureml_jobs.azure.blobs import Blob, Container, file_md5, is_safe_name
from azureml_jobs.azure.datastores import Datastores, Place
from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, Workspace, artifacts_address, job_of
from azureml_jobs.base.download_result import DEFAULT_OUTPUT, DownloadResult, check_empty_folder
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.progress import Progress

_WORKERS = 8
# Gone, another version than the one that was listed, or shorter than that.
_CHANGED = frozenset({404, 412, 416})
# How often a file that a job writes is taken anew.
_VERSIONS = 5


@dataclass(frozen=True)
class _File:
    """`path` is relative to the folder that is downloaded to."""

    container: Container
    blob: Blob
    path: str


def download(
    workspace: Workspace, name: str, destination: Path, output_name: str | None
) -> DownloadResult:
    """Download all outputs of a job, or one of them, to `destination`.

    The layout is that of the local workspace and of `az ml job download --all`. A job that runs is
    taken as it is: what is written anew meanwhile is taken anew, what goes away is left out. The
    folder appears when it is whole; a download that was interrupted leaves its parts beside it, and
    the same command goes on with them. Raises `JobError` when `destination` holds something or
    there is no such output.
    """
    check_empty_folder(destination)
    job = job_of(workspace, name)["properties"]
    datastores = Datastores(workspace)
    outputs = _wanted(name, job, output_name)
    files: list[_File] = []
    for output, address in outputs.items():
        below = "artifacts" if output == DEFAULT_OUTPUT else f"named-outputs/{output}"
        files += files_at(datastores, address, below)
    left_out = fetch(files, destination, job["status"] in ENDED)
    return DownloadResult(len(files) - len(left_out), job["status"], tuple(left_out))


def files_at(datastores: Datastores, address: str, below: str) -> list[_File]:
    """The files at an `azureml://` address, to be written below a folder.

    Raises `JobError` for another address: what it leads to is nobody's here.
    """
    place = datastores.place_of(address)
    if place is None:
        raise JobError(address, "only data of a datastore can be downloaded", "Fetch it yourself.")
    found = []
    for blob in place.container.list(place.path.rstrip("/")):
        inside = _inside(place, blob)
        if inside is None:
            continue
        if not is_safe_name(inside):
            raise OutsideError(blob.name, "a file of this name leads out of the folder")
        found.append(_File(place.container, blob, f"{below}/{inside}" if below else inside))
    return found


def _inside(place: Place, blob: Blob) -> str | None:
    """The name of a blob below a place, None where it only begins alike."""
    folder = place.path.rstrip("/")
    if blob.name == folder:
        # The address is of one file. Folders of Data Lake are blobs without content.
        return folder.rpartition("/")[2] if blob.size else None
    rest = blob.name[len(folder) :] if folder else f"/{blob.name}"
    if not rest.startswith("/") or rest.endswith("/"):
        return None
    return rest[1:]


def fetch(files: list[_File], destination: Path, is_final: bool = True) -> list[str]:
    """Download `files` into a folder that appears when all of them are there.

    Unless they are final, those that change meanwhile are taken as they are then; those that go
    away, or change all the time, are left out and returned.
    """
    destination = destination.absolute()
    beside = destination.parent / f".{destination.name}.part"
    left_out: list[str] = []
    try:
        beside.mkdir(parents=True, exist_ok=True)
        size = sum(file.blob.size for file in files)
        progress = Progress("Receiving", len(files), size)
        # Bytes are counted as they come, so that a large file shows how far it is.
        tasks = [
            Task(
                file.path,
                0,
                (
                    partial(_fetch, file, beside, progress)
                    if is_final
                    else partial(_fetch_changing, file, beside, progress, left_out)
                ),
            )
            for file in files
        ]
        run_all(tasks, _WORKERS, progress)
        _forget_others(beside, {file.path for file in files} - set(left_out))
        if destination.exists():
            destination.rmdir()
        os.rename(beside, destination)
    except OSError as error:
        raise OutsideError(
            str(destination),
            f"the download failed: {error.strerror or error}",
            "Give the same command again to go on.",
        ) from error
    return sorted(left_out)


def _fetch_changing(file: _File, folder: Path, progress: Progress, left_out: list[str]) -> None:
    """Fetch a file of a job that runs, or add its path to `left_out`."""
    wanted = file
    for _ in range(_VERSIONS):
        try:
            return _fetch(wanted, folder, progress)
        except ServiceError as error:
            if error.status_code not in _CHANGED:
                raise
        newest = _newest(file)
        if newest is None:
            break
        wanted = newest
    left_out.append(file.path)


def _newest(file: _File) -> _File | None:
    """A file as it is by now, None when it is gone."""
    name = file.blob.name
    found = [blob for blob in file.container.list(name) if blob.name == name]
    return replace(file, blob=found[0]) if found else None


def _fetch(file: _File, folder: Path, progress: Progress) -> None:
    target = folder / file.path
    blob = file.blob
    # Of the right size alone, it could be of another version.
    if target.is_file() and target.stat().st_mtime == blob.changed and _is_whole(target, blob):
        progress.advance(blob.size, files=0)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # The version is part of the name: what is there of another one is of no use.
    version = hashlib.sha256(f"{blob.etag} {blob.size}".encode()).hexdigest()[:12]
    part = target.with_name(f".{target.name[:200]}.{version}")
    try:
        _receive(file, part, progress)
    except ServiceError as error:
        raise ServiceError(
            file.path,
            f"the file could not be received: {error.what}. "
            "The same command goes on where this one ended",
            error.status_code,
            error.code,
        ) from error
    os.utime(part, (blob.changed, blob.changed))
    os.replace(part, target)


def _receive(file: _File, part: Path, progress: Progress) -> None:
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
                    # What has come is kept; as long as something comes, it is worth going on.
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
                file.path, "what was received is not what is stored: size or MD5 differ"
            )


def _is_whole(path: Path, blob: Blob) -> bool:
    return path.stat().st_size == blob.size and (not blob.md5 or file_md5(path) == blob.md5)


def _forget_others(folder: Path, wanted: set[str]) -> None:
    """Remove parts of versions that are no more, from an earlier attempt."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()


def _wanted(name: str, job: dict[str, Any], output_name: str | None) -> dict[str, str]:
    """Addresses of the outputs that are asked for, by their names."""
    given = job.get("outputs") or {}
    addresses = {DEFAULT_OUTPUT: artifacts_address(name)}
    for key, value in given.items():
        # Where the job file names no place, the service takes this one.
        usual = f"azureml://datastores/{DEFAULT_DATASTORE}/paths/azureml/{name}/{key}/"
        uri = (value or {}).get("uri") or addresses.get(key) or usual
        # The service fills in the name only while the job runs.
        addresses[key] = str(uri).replace("${{name}}", name).replace("${{output_name}}", key)
    if output_name is None:
        return addresses
    if output_name not in addresses:
        listed = ", ".join(sorted(addresses))
        raise JobError(name, f"the job has no output `{output_name}`", f"Its outputs: {listed}.")
    return {output_name: addresses[output_name]}

"""Download what a job in Azure produced: several files at once, checked, and to be gone on with."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from azureml_jobs.azure.blobs import Blob, Container, file_md5, is_safe_name
from azureml_jobs.azure.connection import ServiceError
from azureml_jobs.azure.datastores import Datastores, Place
from azureml_jobs.azure.jobs import job_of
from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.azure.progress import Progress
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, Workspace, artifacts_address
from azureml_jobs.errors import JobError, OutsideError
from azureml_jobs.local.download import DEFAULT_OUTPUT, refuse_used

_WORKERS = 8


@dataclass(frozen=True)
class _File:
    """`path` is relative to the folder that is downloaded to."""

    container: Container
    blob: Blob
    path: str


def download(workspace: Workspace, name: str, destination: Path, output_name: Optional[str]) -> int:
    """Download all outputs of a job, or one of them, to `destination`; the number of files.

    The layout is that of the local workspace and of `az ml job download --all`. A job that runs is
    taken as it is. The folder appears when it is whole; a download that was interrupted leaves its
    parts beside it, and the same command goes on with them. Raises `JobError` when `destination`
    holds something or there is no such output.
    """
    refuse_used(destination)
    job = job_of(workspace, name)["properties"]
    datastores = Datastores(workspace)
    outputs = _wanted(name, job, output_name)
    files: list[_File] = []
    for output, address in outputs.items():
        below = "artifacts" if output == DEFAULT_OUTPUT else f"named-outputs/{output}"
        files += files_at(datastores, address, below)
    fetch(files, destination)
    return len(files)


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


def fetch(files: list[_File], destination: Path) -> None:
    """Download `files` into a folder that appears when all of them are there."""
    destination = destination.absolute()
    beside = destination.parent / f".{destination.name}.part"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        tasks = [Task(file.path, file.blob.size, _fetching(file, beside)) for file in files]
        size = sum(file.blob.size for file in files)
        run_all(tasks, _WORKERS, Progress("Receiving", len(files), size))
        _forget_others(beside, {file.path for file in files})
        if destination.exists():
            destination.rmdir()
        os.rename(beside, destination)
    except OSError as error:
        raise OutsideError(
            str(destination),
            f"the download failed: {error.strerror or error}",
            "Give the same command again to go on.",
        ) from error


def _fetching(file: _File, folder: Path) -> Callable[[], None]:
    def fetch_one() -> None:
        target = folder / file.path
        blob = file.blob
        if target.is_file() and _is_whole(target, blob):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # The version is part of the name: what is there of another one is of no use.
        version = hashlib.sha256(f"{blob.etag} {blob.size}".encode()).hexdigest()[:12]
        part = target.with_name(f".{target.name[:200]}.{version}")
        try:
            _receive(file, part)
        except ServiceError as error:
            raise ServiceError(
                file.path,
                f"the file could not be received: {error.what}. "
                "The same command goes on where this one ended",
                error.status_code,
                error.code,
            ) from error
        os.replace(part, target)

    return fetch_one


def _receive(file: _File, part: Path) -> None:
    blob, attempts = file.blob, 0
    while True:
        with open(part, "ab") as out:
            out.seek(0, os.SEEK_END)
            start = out.tell()
            if start < blob.size:
                try:
                    file.container.read(blob, start, lambda data: _write(out, data))
                except ServiceError as error:
                    # What has come is kept; as long as something comes, it is worth going on.
                    if error.status_code or out.tell() == start:
                        raise
                    continue
        if _is_whole(part, blob):
            return
        part.unlink()
        attempts += 1
        if attempts == 2:
            raise OutsideError(
                file.path, "what was received is not what is stored: size or MD5 differ"
            )


def _write(out: Any, data: bytes) -> None:
    out.write(data)


def _is_whole(path: Path, blob: Blob) -> bool:
    return path.stat().st_size == blob.size and (not blob.md5 or file_md5(path) == blob.md5)


def _forget_others(folder: Path, wanted: set[str]) -> None:
    """Remove parts of versions that are no more, from an earlier attempt."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()


def _wanted(name: str, job: dict[str, Any], output_name: Optional[str]) -> dict[str, str]:
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

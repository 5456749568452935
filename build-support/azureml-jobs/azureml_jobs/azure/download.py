"""Download what a job in Azure produced: several files at once, checked, and resumable."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.blobs import Blob, Container, file_md5
from azureml_jobs.azure.datastores import DatastorePath, Datastores
from azureml_jobs.azure.rows import children_of, reused_by
from azureml_jobs.azure.run_history import outputs_of
from azureml_jobs.azure.workspace import (
    DEFAULT_DATASTORE,
    ConnectedWorkspace,
    artifacts_address,
    job_of,
)
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.jobs import DEFAULT_OUTPUT, DownloadResult, check_empty_folder, labelled
from azureml_jobs.base.parallel import read_all, run_all
from azureml_jobs.base.progress import Progress

# Gone, another version than the one that was listed, or shorter than that.
_CHANGED = frozenset({404, 412, 416})
# In the path of a file, which is what others have named: a blob, an output, a unit.
_LEADS_ELSEWHERE = re.compile(r"(^|/)\.\.?(/|$)|^/|//|\0|\\")
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
        for label, child in labelled(children_of(workspace, job)):
            folders[child["name"]] = f"steps/{label.replace('/', '/steps/')}/"
    datastores = Datastores(workspace)

    def files_of(each: str) -> list[RemoteFile]:
        found = []
        outputs = _selected_outputs(workspace, job_of(workspace, each), output_name)
        for output, address in outputs.items():
            below = "artifacts" if output == DEFAULT_OUTPUT else f"named-outputs/{output}"
            found += files_at(datastores, address, f"{folders[each]}{below}")
        return found

    files = [file for each in read_all(folders, files_of, "Listing").values() for file in each]
    status = str(job["properties"]["status"])
    left_out = download_files(files, destination, status in ENDED)
    return DownloadResult(len(files) - len(left_out), status, tuple(left_out))


def _selected_outputs(
    workspace: ConnectedWorkspace, job: Mapping[str, Any], output_name: str | None
) -> dict[str, str]:
    """Return the addresses of all outputs of a job, or of one. Raises `JobError` without it."""
    properties = job["properties"]
    name = reused_by(properties) or job["name"]
    outputs = properties.get("outputs") or {}
    written = {key: str((value or {}).get("uri") or "") for key, value in outputs.items()}
    # The outputs of a pipeline are those of steps, and what a step has, only its run says.
    is_told_by_run = properties["jobType"] == "Pipeline" or bool(properties.get("root"))
    addresses = {DEFAULT_OUTPUT: artifacts_address(name)}
    if is_told_by_run or not all(written.values()):
        addresses |= outputs_of(workspace, workspace.history("GET", f"runs/{name}") or {})
    for key, uri in ({} if is_told_by_run else written).items():
        # Where the service writes unless something says otherwise.
        usual = f"azureml://datastores/{DEFAULT_DATASTORE}/paths/azureml/{name}/{key}/"
        uri = uri or addresses.get(key) or usual
        # The service only fills in the name while the job runs.
        addresses[key] = uri.replace("${{name}}", name).replace("${{output_name}}", key)
    if output_name is None:
        return addresses
    if output_name not in addresses:
        listed = ", ".join(sorted(addresses))
        raise JobError(name, f"the job has no output `{output_name}`", f"Its outputs: {listed}.")
    return {output_name: addresses[output_name]}


def files_at(datastores: Datastores, address: str, below: str) -> list[RemoteFile]:
    """Return the files at an `azureml://` address, to be written below a folder.

    Raises `JobError` for any other address.
    """
    source, found = datastores.resolve(address), []
    for blob in source.container.list(source.path.rstrip("/")):
        name = _relative_name(source, blob)
        if name is None:
            continue
        path = f"{below}/{name}" if below else name
        if _LEADS_ELSEWHERE.search(path):
            raise OutsideError(path, "a file of this name would be written outside of the folder")
        found.append(RemoteFile(source.container, blob, path))
    return found


def _relative_name(source: DatastorePath, blob: Blob) -> str | None:
    """Return a blob's name relative to a path, None when it only starts with the same letters."""
    folder = source.path.rstrip("/")
    if blob.name == folder:
        # The address is of one file.
        return folder.rpartition("/")[2]
    rest = blob.name[len(folder) :] if folder else f"/{blob.name}"
    return rest[1:] if rest.startswith("/") else None


def download_files(files: list[RemoteFile], destination: Path, is_final: bool = True) -> list[str]:
    """Download `files` into a folder that appears when all of them are there.

    Unless they are final, those that change are downloaded again. Those that disappear, or change
    all the time, are left out and returned.
    """
    # A link to an empty folder stays one.
    destination = Path(os.path.realpath(destination))
    folder = destination.parent / f".{destination.name}.part"
    left_out: list[str] = []
    # Bytes are counted as they come, so that a large file shows how far it is.
    progress = Progress("Receiving", len(files), sum(file.blob.size for file in files))

    def fetch(file: RemoteFile) -> None:
        for wanted in _versions_of(file, is_final):
            try:
                return _fetch(folder, progress, wanted)
            except ServiceError as error:
                if is_final or error.status_code not in _CHANGED:
                    raise
        left_out.append(file.path)

    try:
        make_folder(folder)
        run_all([partial(fetch, file) for file in files], progress)
        _remove_others(folder, {file.path for file in files} - set(left_out))
        if destination.exists():
            destination.rmdir()
        os.rename(folder, destination)
    except OSError as error:
        raise OutsideError(
            str(destination),
            f"the download failed: {error.strerror or error}",
            "Give the same command again to resume it.",
        ) from error
    return sorted(left_out)


def _versions_of(file: RemoteFile, is_final: bool) -> Iterator[RemoteFile]:
    """Yield a file as it was listed, and unless it is final as it is later, until it is gone."""
    yield file
    name = file.blob.name
    for _ in range(0 if is_final else _VERSIONS - 1):
        found = [blob for blob in file.container.list(name) if blob.name == name]
        if not found:
            return
        yield replace(file, blob=found[0])


def _fetch(folder: Path, progress: Progress, file: RemoteFile) -> None:
    target = folder / file.path
    blob = file.blob
    # Of the right size alone, it could be of another version.
    if target.is_file() and target.stat().st_mtime == blob.changed and _is_whole(target, blob):
        progress.advance(blob.size, files=0)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # The version is part of the name: parts of another one are no use.
    version = hashlib.sha256(f"{file.path} {blob.etag} {blob.size}".encode()).hexdigest()
    part = target.with_name(f".{version}")
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

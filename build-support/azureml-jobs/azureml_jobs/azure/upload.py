"""What a job brings along, as assets whose names are their contents: sent once, then found."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.azure.blobs import Container, LocalFile, copy_files, missing_files, send_files
from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.parallel import BackgroundCall
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, Workspace, put_once
from azureml_jobs.base.digest import entries_digest, environment_tag
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.bundle.data import files_below

_ANY_VERSION = "1"
# Below this folder azure-ai-ml puts what it sends, too.
_FOLDER = "LocalUpload"
# Less is sent before it is known how to copy it.
_WORTH_COPYING_BYTES = 10_000
# Who does not tell for so long how to copy would make the submission slower.
_READER_SECONDS = 2.0


@dataclass
class Sent:
    """What one asset cost: nothing when it was there already.

    `files` of `size` bytes were sent, `copied` is how many storage copied from elsewhere.
    `pushed_to` is the name of an image in its registry.
    """

    id: str
    files: int = 0
    size: int = 0
    copied: int = 0
    pushed_to: str = ""

    @property
    def was_there(self) -> bool:
        return self.files + self.copied == 0


def send_snapshot(
    workspace: Workspace,
    datastores: Datastores,
    earlier: EarlierSnapshots,
    folder: Path,
    digest: str,
) -> Sent:
    """The code asset of the files in `folder`, whose snapshot has this sha256.

    Every attempt writes into a container of its own, which becomes the asset only when it is whole:
    attempts at the same time do not meet.
    """
    name = str(uuid.UUID(hex=digest[:32]))
    path = ("codes", name, "versions", _ANY_VERSION)
    sent = Sent(workspace.asset_id("codes", name, _ANY_VERSION))
    if workspace.get(*path) is not None:
        return sent
    files = _listed(folder)
    contents = {file.name: _sha256(file.path) for file in files}
    known = {file for file in files if earlier.hold(contents[file.name])}
    reader = None
    if sum(file.size for file in known) > _WORTH_COPYING_BYTES:
        reader = BackgroundCall(datastores.account_reader)
    pending = workspace.post(
        *path, "startPendingUpload", body={"pendingUploadType": "TemporaryBlobReference"}
    )
    reference = pending["blobReferenceForConsumption"]
    container = Container.of_sas_address(
        workspace.connection, str(reference["credential"]["sasUri"])
    )
    # The folder's own name stands above the files, as with azure-ai-ml.
    prefix = f"{folder.name}/"
    shown = f"{folder.name}/"
    missing = missing_files(container, files, prefix)
    # First what has to be sent: meanwhile it is told how to copy the others.
    _send(container, [file for file in missing if file not in known], prefix, sent, shown)
    rest = [file for file in missing if file in known]
    if reader is not None and (found := reader.result_within(_READER_SECONDS)) is not None:
        copied = copy_files(container, earlier.sources(found, rest, contents), prefix)
        sent.copied = len(copied)
        rest = [file for file in rest if file not in copied]
    _send(container, rest, prefix, sent, shown)
    put_once(
        workspace,
        *path,
        body={
            "properties": {
                "codeUri": f"{str(reference['blobUri']).rstrip('/')}/{folder.name}",
                "isAnonymous": True,
                "properties": {"azureml_jobs.snapshot": digest},
            }
        },
    )
    earlier.remember(container.address, prefix, contents)
    return sent


def send_environment(
    workspace: Workspace, datastores: Datastores, folder: Path, digest: str, dockerfile: str
) -> Sent:
    """The environment that is built from `folder`, by the service and once for each content."""
    name = environment_tag(digest)
    path = ("environments", name, "versions", _ANY_VERSION)
    sent = Sent(workspace.asset_id("environments", name, _ANY_VERSION))
    if workspace.get(*path) is not None:
        return sent
    container = datastores.default()
    # The whole digest: another content never has the same folder.
    prefix = f"{_FOLDER}/{digest}/{folder.name}/"
    missing = missing_files(container, _listed(folder), prefix)
    _send(container, missing, prefix, sent, f"{folder.name}/")
    put_once(
        workspace,
        *path,
        body={
            "properties": {
                "build": {
                    "contextUri": f"{container.address}/{prefix}",
                    "dockerfilePath": dockerfile,
                },
                "properties": {"azureml_jobs.environment": digest},
            }
        },
    )
    return sent


def send_data(datastores: Datastores, data: Path) -> Sent:
    """A file or folder in the default datastore; the id is its `azureml://` address."""
    listed, digest = listed_data(data)
    container = datastores.default()
    prefix = f"{_FOLDER}/{digest}/{data.name}" if data.is_dir() else f"{_FOLDER}/{digest}"
    ending = "/" if data.is_dir() else f"/{data.name}"
    address = f"azureml://datastores/{DEFAULT_DATASTORE}/paths/{prefix}{ending}"
    sent = Sent(address)
    # Written last, beside the folder: what is below it is whole.
    mark = f"{_FOLDER}/{digest}.complete"
    if not container.has(mark):
        listed = missing_files(container, listed, f"{prefix}/")
        _send(container, listed, f"{prefix}/", sent, f"{data.name}: ")
        container.put(mark, b"")
    return sent


def listed_data(data: Path) -> tuple[list[LocalFile], str]:
    """The files of a file or folder, and the sha256 of their names and contents.

    Raises `OutsideError` for what cannot be read, and for a folder that links lead back to.
    """
    try:
        files = files_below(data) if data.is_dir() else [data]
        base = data if data.is_dir() else data.parent
        listed = [_local_file(file, base) for file in files]
        return listed, entries_digest((each.name, _sha256(each.path), False) for each in listed)
    except OSError as error:
        raise OutsideError(
            str(data), f"the data could not be read: {error.strerror}", f"Look at {error.filename}."
        ) from error


def _listed(folder: Path) -> list[LocalFile]:
    """The files below a folder, in the order of their names."""
    files = [
        _local_file(Path(parent, name), folder)
        for parent, _, names in os.walk(folder)
        for name in names
    ]
    return sorted(files, key=lambda file: file.name)


def _send(
    container: Container, files: list[LocalFile], prefix: str, sent: Sent, shown: str
) -> None:
    send_files(container, files, prefix, shown)
    sent.files += len(files)
    sent.size += sum(file.size for file in files)


def _local_file(path: Path, base: Path) -> LocalFile:
    return LocalFile(path.relative_to(base).as_posix(), path, path.stat().st_size)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()

"""Send what a job needs, as assets that are named after their content: sent once, then found."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.blobs import Container
from azureml_jobs.azure.datastores import DatastorePath, Datastores
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.send_files import (
    LocalFile,
    copy_files,
    missing_files,
    send_files,
    send_missing,
)
from azureml_jobs.azure.workspace import DEFAULT_DATASTORE, put_once
from azureml_jobs.base.digest import environment_tag, file_digest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.bundle.data import data_digest, data_files

_ANY_VERSION = "1"
# azure-ai-ml, too, sends to this folder.
_FOLDER = "LocalUpload"
# Less is sent: asking how it can be copied would take longer.
_WORTH_COPYING_BYTES = 10_000
# Waiting longer for permission to copy would make the submission slower.
_ACCOUNT_SECONDS = 2.0
# How long it may take to look at what is registered already.
_REPAIR_SECONDS = 5.0


@dataclass
class SentAsset:
    """An asset, and what it cost to send: nothing when it was there already.

    `files` of `size` bytes were sent, storage copied `copied` more from elsewhere. `pushed_to` is
    the name of an image in its registry.
    """

    id: str
    files: int = 0
    size: int = 0
    copied: int = 0
    pushed_to: str = ""

    @property
    def reference(self) -> str:
        """What a job file writes to use it."""
        return f"azureml:{self.id}" if self.id.startswith("/") else self.id

    @property
    def was_there(self) -> bool:
        return not (self.files or self.copied or self.pushed_to)


def code_asset(digest: str) -> str:
    """Return the name of the code asset of a snapshot that has this sha256."""
    return str(uuid.UUID(hex=digest[:32]))


def send_snapshot(
    datastores: Datastores, earlier: EarlierSnapshots | None, folder: Path, digest: str
) -> SentAsset:
    """Make the code asset of the files in `folder`, whose snapshot has this sha256.

    Without `earlier`, nothing is copied from other snapshots, nor later ones from this.

    Each attempt writes into its own container, which becomes the asset only when it is complete:
    attempts at the same time do not meet.
    """
    workspace, path = datastores.workspace, ("codes", code_asset(digest), "versions", _ANY_VERSION)
    sent, files = SentAsset(workspace.asset_id(*path)), _listed(folder)
    if (there := workspace.get(*path)) is not None:
        _repair(datastores, str(there["properties"]["codeUri"]), files, sent)
        return sent
    pending = workspace.post(
        *path, "startPendingUpload", body={"pendingUploadType": "TemporaryBlobReference"}
    )
    reference = pending["blobReferenceForConsumption"]
    address, _, sas = str(reference["credential"]["sasUri"]).partition("?")
    container = Container(workspace.connection, address, sas)
    # azure-ai-ml, too, puts the files below the folder's own name.
    prefix = f"{folder.name}/"
    contents = {file.name: file_digest(file.path) for file in files}
    send = partial(_send_or_copy, container, prefix, datastores, earlier, contents, sent)
    send_missing(container, files, prefix, send)
    properties = {
        "codeUri": f"{str(reference['blobUri']).rstrip('/')}/{folder.name}",
        "isAnonymous": True,
        "properties": {"azureml_jobs.snapshot": digest},
    }
    put_once(workspace, *path, properties=properties)
    if earlier is not None:
        earlier.remember(container.address, prefix, contents)
    return sent


def _send_or_copy(
    container: Container,
    prefix: str,
    datastores: Datastores,
    earlier: EarlierSnapshots | None,
    contents: Mapping[str, str],
    sent: SentAsset,
    files: list[LocalFile],
) -> None:
    """Bring files of a snapshot below `prefix`; `contents` are their sha256 by name."""
    known = {file for file in files if earlier and earlier.have(contents[file.name])}
    account = None
    if sum(file.size for file in known) > _WORTH_COPYING_BYTES:
        account = BackgroundCall(datastores.account)
    # First what must be sent: meanwhile the answer comes how to copy the others.
    _send(container, prefix, sent, prefix, [file for file in files if file not in known])
    rest = [file for file in files if file in known]
    if earlier is not None and account is not None:
        with contextlib.suppress(JobError):
            if (found := account.result_within(_ACCOUNT_SECONDS)) is not None:
                copied = copy_files(container, earlier.sources(found, rest, contents), prefix)
                sent.copied += len(copied)
                rest = [file for file in rest if file not in copied]
    _send(container, prefix, sent, prefix, rest)


def _repair(datastores: Datastores, address: str, files: list[LocalFile], sent: SentAsset) -> None:
    """Send what a registered asset at an `https:` address does not have, though it should.

    Where its storage cannot be read from here, or not soon, the asset is trusted.
    """

    def find() -> tuple[DatastorePath | None, list[LocalFile]]:
        try:
            place = datastores.account().find(f"{address.rstrip('/')}/")
            return place, missing_files(place.container, files, place.path) if place else []
        except ServiceError as error:
            if error.status_code == 404:
                raise error.about(address, f"its files are gone: {error.what}") from error
            return None, []

    place, missing = BackgroundCall(find).result_within(_REPAIR_SECONDS) or (None, [])
    if place and missing:
        send = partial(_send, place.container, place.path, sent, place.path)
        send_missing(place.container, files, place.path, send)


def send_environment(
    datastores: Datastores, folder: Path, digest: str, dockerfile: str
) -> SentAsset:
    """Make the environment that the service builds from `folder`, once for each content."""
    workspace = datastores.workspace
    path = ("environments", environment_tag(digest), "versions", _ANY_VERSION)
    sent, files = SentAsset(workspace.asset_id(*path)), _listed(folder)
    if (there := workspace.get(*path)) is not None:
        _repair(datastores, str(there["properties"]["build"]["contextUri"]), files, sent)
        return sent
    container = datastores.open()
    # The whole digest: another content never has the same folder.
    prefix = f"{_FOLDER}/{digest}/{folder.name}/"
    send = partial(_send, container, prefix, sent, f"{folder.name}/")
    send_missing(container, files, prefix, send)
    build = {"contextUri": f"{container.address}/{prefix}", "dockerfilePath": dockerfile}
    properties = {"build": build, "properties": {"azureml_jobs.environment": digest}}
    put_once(workspace, *path, properties=properties)
    return sent


def send_data(datastores: Datastores, data: Path) -> SentAsset:
    """Send a file or folder to the default datastore; its id is an `azureml://` address.

    Raises `OutsideError` for what cannot be read, and for circular links; `JobError` as `_listed`.
    """
    try:
        digest, files = data_digest(data).sha256, _listed(data)
    except OSError as error:
        raise OutsideError(
            str(data), f"the data could not be read: {error.strerror}", f"Look at {error.filename}."
        ) from error
    container = datastores.open()
    prefix = f"{_FOLDER}/{digest}/{data.name}" if data.is_dir() else f"{_FOLDER}/{digest}"
    ending = "/" if data.is_dir() else f"/{data.name}"
    sent = SentAsset(f"azureml://datastores/{DEFAULT_DATASTORE}/paths/{prefix}{ending}")
    send = partial(_send, container, f"{prefix}/", sent, f"{data.name}: ")
    send_missing(container, files, f"{prefix}/", send)
    return sent


def _listed(data: Path) -> list[LocalFile]:
    """Return a file, or the files below a folder, by their names there.

    Raises `JobError` for a name that is not UTF-8, which storage cannot have.
    """
    base = data if data.is_dir() else data.parent
    files = data_files(data)
    for file in files:
        try:
            str(file.relative_to(data.parent)).encode()
        except UnicodeEncodeError:
            raise JobError(str(file), "its name is not UTF-8", "Rename it.") from None
    return [
        LocalFile(file.relative_to(base).as_posix(), file, file.stat().st_size) for file in files
    ]


def _send(
    container: Container, prefix: str, sent: SentAsset, label: str, files: list[LocalFile]
) -> None:
    send_files(container, files, prefix, label)
    sent.files += len(files)
    sent.size += sum(file.size for file in files)

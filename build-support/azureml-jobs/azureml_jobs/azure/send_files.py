"""Send files to a container, or let storage copy them: several at once, only what is missing."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from azureml_jobs.azure.blobs import Container, CopySource, file_md5
from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.progress import Progress

# Larger files are sent in blocks, several at once.
SINGLE_PUT_BYTES = 16 << 20
BLOCK_BYTES = 8 << 20
WORKERS = 32


@dataclass(frozen=True)
class LocalFile:
    """A file to send: its `name` in the container, its path, its size in bytes."""

    name: str
    path: Path
    size: int


def missing_files(container: Container, files: list[LocalFile], prefix: str) -> list[LocalFile]:
    """Return those files that are not below `prefix` yet, from an earlier attempt."""
    try:
        present = {blob.name: blob for blob in container.list(prefix)}
    except ServiceError as error:
        # A signature may allow writing alone.
        if error.status_code != 403:
            raise
        return files
    return [
        file
        for file in files
        if (blob := present.get(prefix + file.name)) is None
        or blob.size != file.size
        or blob.md5 != file_md5(file.path)
    ]


def copy_files(
    container: Container, files: Mapping[LocalFile, CopySource], prefix: str
) -> set[LocalFile]:
    """Let storage copy files, several at once; return those that it copied.

    After the first refusal no other copy is tried: what it may not read once, it may not read
    again.
    """
    copied: set[LocalFile] = set()
    refused = threading.Event()

    def copy(file: LocalFile, source: CopySource) -> None:
        if refused.is_set():
            return
        try:
            container.copy(prefix + file.name, source, file.path)
        except ServiceError:
            refused.set()
        else:
            copied.add(file)

    tasks = [Task(file.size, partial(copy, file, source)) for file, source in files.items()]
    run_all(tasks, WORKERS, Progress("Copying", len(tasks), sum(file.size for file in files)))
    return copied


def send_files(container: Container, files: list[LocalFile], prefix: str, label: str) -> None:
    """Send files below `prefix`, several at once, each with its MD5 for storage to check.

    A blob that is sent twice is replaced by the same bytes, so that a lost answer does not matter.
    Raises `OutsideError` that names the file which could not be sent, behind `label`.
    """
    uploads = [_Upload(container, file, prefix + file.name, label) for file in files]
    tasks = [
        Task(min(BLOCK_BYTES, upload.file.size), partial(upload.send_block, index))
        for upload in uploads
        for index in range(len(upload.blocks))
    ]
    tasks += [Task(each.file.size, each.send) for each in uploads if not each.blocks]
    run_all(tasks, WORKERS, Progress("Sending", len(tasks), sum(file.size for file in files)))
    commits = [Task(0, upload.commit) for upload in uploads if upload.blocks]
    run_all(commits, WORKERS, Progress("Sending", len(commits), 0))


@dataclass(frozen=True)
class _Upload:
    container: Container
    file: LocalFile
    blob: str
    label: str

    @property
    def blocks(self) -> list[str]:
        """The ids of the blocks in which a large file is sent; none for a small one."""
        if self.file.size <= SINGLE_PUT_BYTES:
            return []
        count = -(-self.file.size // BLOCK_BYTES)
        # All of one length, which storage requires.
        return [base64.b64encode(b"%08d" % index).decode() for index in range(count)]

    def send(self) -> None:
        with self._named_errors():
            self.container.put(self.blob, self.file.path.read_bytes())

    def send_block(self, index: int) -> None:
        with self._named_errors():
            with open(self.file.path, "rb") as source:
                source.seek(index * BLOCK_BYTES)
                content = source.read(BLOCK_BYTES)
            self.container.put_block(self.blob, self.blocks[index], content)

    def commit(self) -> None:
        with self._named_errors():
            self.container.put_block_list(self.blob, self.blocks, file_md5(self.file.path))

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Let errors name the file."""
        where = f"{self.label}{self.file.name}"
        try:
            yield
        except ServiceError as error:
            what = f"the file could not be sent: {error.what}"
            raise ServiceError(where, what, error.status_code, error.code) from error
        except OSError as error:
            raise OutsideError(where, f"the file could not be read: {error.strerror}") from error

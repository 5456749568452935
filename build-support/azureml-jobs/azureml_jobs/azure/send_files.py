"""Send files to a container, or let storage copy them: several at once, only what is missing."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.blobs import Container, CopySource, file_md5
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.parallel import run_all
from azureml_jobs.base.progress import Progress

# Larger files are sent in blocks, several at once.
SINGLE_PUT_BYTES = 16 << 20
BLOCK_BYTES = 8 << 20
WORKERS = 32
_ROUNDS = 2


@dataclass(frozen=True)
class LocalFile:
    """A file to send: its `name` in the container, its path, its size in bytes."""

    name: str
    path: Path
    size: int

    @cached_property
    def md5(self) -> str:
        return file_md5(self.path)


def missing_files(container: Container, files: list[LocalFile], prefix: str) -> list[LocalFile]:
    """Return those files that are not below `prefix` with their size and MD5.

    Raises `OutsideError` for a file there that is none of them: the job would get it, too.
    """
    present = {blob.name: blob for blob in container.list(prefix)}
    wanted = {prefix + file.name: file for file in files}
    if others := set(present) - set(wanted):
        raise OutsideError(
            f"{container.address}/{min(others)}",
            "the container has this file, which is not in what is sent",
            "Remove it, or find out who wrote it there.",
        )
    return [
        file
        for name, file in wanted.items()
        if (blob := present.get(name)) is None or (blob.size, blob.md5) != (file.size, file.md5)
    ]


def send_missing(
    container: Container,
    files: list[LocalFile],
    prefix: str,
    send: Callable[[list[LocalFile]], None],
) -> None:
    """Let `send` bring files below `prefix` until the container has them all, and nothing else.

    An answer alone does not count: a proxy may give it. Raises `OutsideError`.
    """
    try:
        missing = missing_files(container, files, prefix)
    except ServiceError as error:
        # A signature may allow writing alone.
        if error.status_code != 403:
            raise
        return send(files)
    for _ in range(_ROUNDS):
        if not missing:
            return None
        send(missing)
        missing = missing_files(container, files, prefix)
    if missing:
        raise OutsideError(
            f"{prefix}{missing[0].name}",
            "storage accepted the file, and does not have it",
            "Look at the proxy that `HTTPS_PROXY` names, and type the same command again.",
        )


def copy_files(
    container: Container, files: Mapping[LocalFile, CopySource], prefix: str
) -> set[LocalFile]:
    """Let storage copy files, several at once; return those that it copied.

    After the first refusal no other copy is tried: what it may not read once, it may not read
    again.
    """
    copied: set[LocalFile] = set()
    refused = threading.Event()
    progress = Progress("Copying", len(files), sum(file.size for file in files))

    def copy(file: LocalFile, source: CopySource) -> None:
        if refused.is_set():
            return
        try:
            container.copy(prefix + file.name, source, file.path)
        except ServiceError:
            refused.set()
        else:
            copied.add(file)
            progress.advance(file.size, files=0)

    run_all([partial(copy, *each) for each in files.items()], progress, WORKERS)
    return copied


def send_files(container: Container, files: list[LocalFile], prefix: str, label: str) -> None:
    """Send files below `prefix`, several at once, each with its MD5 for storage to check.

    A blob that is sent twice is replaced by the same bytes, so that a lost answer does not matter.
    Raises `OutsideError` that names the file which could not be sent, behind `label`.
    """
    uploads = [_Upload(container, file, prefix + file.name, label) for file in files]
    calls = [partial(each.send_block, index) for each in uploads for index in each.blocks]
    calls += [partial(each.send) for each in uploads if not each.blocks]
    progress = Progress("Sending", len(calls), sum(file.size for file in files))
    run_all([partial(_counted, call, progress) for call in calls], progress, WORKERS)
    commits = [upload.commit for upload in uploads if upload.blocks]
    run_all(commits, Progress("Sending", len(commits), 0), WORKERS)


def _counted(send: Callable[[], int], progress: Progress) -> None:
    progress.advance(send(), files=0)


@dataclass(frozen=True)
class _Upload:
    container: Container
    file: LocalFile
    blob: str
    label: str

    @property
    def blocks(self) -> dict[int, str]:
        """The ids of the blocks in which a large file is sent; none for a small one."""
        count = -(-self.file.size // BLOCK_BYTES) if self.file.size > SINGLE_PUT_BYTES else 0
        # All of one length, which storage requires.
        return {index: base64.b64encode(b"%08d" % index).decode() for index in range(count)}

    def send(self) -> int:
        """Send the file; return its size."""
        with self._named_errors():
            self.container.put(self.blob, self.file.path.read_bytes())
        return self.file.size

    def send_block(self, index: int) -> int:
        """Send a block; return its size."""
        with self._named_errors():
            with open(self.file.path, "rb") as source:
                source.seek(index * BLOCK_BYTES)
                content = source.read(BLOCK_BYTES)
            self.container.put_block(self.blob, self.blocks[index], content)
        return len(content)

    def commit(self) -> None:
        with self._named_errors():
            self.container.put_block_list(self.blob, list(self.blocks.values()), self.file.md5)

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Let errors name the file."""
        where = f"{self.label}{self.file.name}"
        try:
            yield
        except ServiceError as error:
            raise error.about(where, f"the file could not be sent: {error.what}") from error
        except OSError as error:
            raise OutsideError(where, f"the file could not be read: {error.strerror}") from error

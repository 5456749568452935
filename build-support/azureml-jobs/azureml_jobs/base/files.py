"""Write files in one step, lock them, and make folders that only their owner can read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from azureml_jobs.base.workspace_config import LOCAL_FOLDER


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file next to `path`, force it to the disk, and rename it.

    Text is UTF-8; names of files that are not UTF-8 are written byte for byte. A file that exists
    keeps its mode; a new one gets 0644, and 0600 in `.azureml`.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    new_mode = 0o600 if LOCAL_FOLDER in path.parts else 0o644
    mode = path.stat().st_mode & 0o7777 if path.exists() else new_mode
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def copy_file(source: Path, target: Path, is_executable: bool = False) -> None:
    """Copy the content of a file, whose folders are made; everybody may read the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if is_executable else 0o644)


def make_folder(path: Path) -> None:
    """Make a folder and those above it; a `.azureml` among them is closed to other accounts."""
    for folder in (path, *path.parents):
        if folder.name == LOCAL_FOLDER:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = folder.stat()
            if state.st_mode & 0o077 and state.st_uid == os.getuid():
                folder.chmod(0o700)
    path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def new_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder in `parent`, and remove it again if what follows fails."""
    make_folder(parent)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def take_lock(file: IO[Any]) -> bool:
    """Lock a file unless another process has. The system releases the lock of a killed process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

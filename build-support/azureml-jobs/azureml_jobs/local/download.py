"""Copy what a local job produced, in the layout of `az ml job download --all`."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base.download import DEFAULT_OUTPUT, DownloadResult, check_empty_folder
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.progress import Progress
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current

_READ_BYTES = 1 << 20


def download(
    folder: JobFolder, destination: Path, output_name: str | None = None
) -> DownloadResult:
    """Copy all outputs, or one of them, to `destination`.

    Named outputs go to `named-outputs/<name>/`; logs, `./outputs`, `./logs` and what was logged
    with MLflow go to `artifacts/` and are the output `default`. A job that runs is taken as it is:
    of a file that grows what was there when its turn came. An interrupted download leaves nothing.
    Raises `JobError` when `destination` holds something or there is no such output.
    """
    record = current(folder)
    entries = _entries(folder, record, _wanted(record, output_name))
    check_empty_folder(destination)
    destination = destination.absolute()
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
        try:
            left_out = _copy_all(entries, beside, record.has_ended)
            beside.chmod(0o755)
            os.rename(beside, destination)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as error:
        raise OutsideError(record.name, f"the download to {destination} failed: {error}") from error
    files = sum(source is not None for source in entries.values()) - len(left_out)
    return DownloadResult(files, record.status, tuple(left_out))


def artifacts(folder: JobFolder) -> list[tuple[str, Path]]:
    """Logs and artifacts under the names that Azure ML gives them, with where they are."""
    found: dict[str, Path] = {}
    if folder.log.is_file():
        found["user_logs/std_log.txt"] = folder.log
    logged = MlflowStore(folder.mlruns).artifacts_folder(folder.name)
    if logged is not None:
        found.update(_files(logged, ""))
    for name in ("outputs", "logs"):
        found.update(_files(folder.work / name, f"{name}/"))
    return sorted(found.items())


def _wanted(record: JobRecord, output_name: str | None) -> list[str]:
    available = sorted({*record.outputs, DEFAULT_OUTPUT})
    if output_name is None:
        return available
    if output_name not in available:
        raise JobError(
            record.name,
            f"the job has no output `{output_name}`",
            f"Its outputs: {', '.join(available)}.",
        )
    return [output_name]


def _entries(folder: JobFolder, record: JobRecord, wanted: list[str]) -> dict[str, Path | None]:
    """What is copied, by its path below the destination; None is a folder that has to be there."""
    found: dict[str, Path | None] = {}
    for name in wanted:
        if name == DEFAULT_OUTPUT and name not in record.outputs:
            found["artifacts"] = None
            found.update((f"artifacts/{path}", source) for path, source in artifacts(folder))
        else:
            # Also where the job has not made it yet, or ended before.
            found[f"named-outputs/{name}"] = None
            found.update(_tree(folder.outputs / name, f"named-outputs/{name}/"))
    return found


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, Path | None]]:
    """Everything below a folder, empty folders and links as well."""
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            is_folder = name in folders and not path.is_symlink()
            yield prefix + path.relative_to(folder).as_posix(), None if is_folder else path


def _copy_all(entries: dict[str, Path | None], target: Path, is_final: bool) -> list[str]:
    """Copy `entries` into `target`; those that went away, which only a job that runs may do."""
    sizes = {path: _size(source) for path, source in entries.items() if source is not None}
    progress = Progress("Copying", len(sizes), sum(sizes.values()))
    left_out = []
    try:
        for name, source in entries.items():
            path = target / name
            (path if source is None else path.parent).mkdir(parents=True, exist_ok=True)
            if source is None:
                continue
            try:
                _copy(source, path, progress)
            except FileNotFoundError:
                if is_final:
                    raise
                left_out.append(name)
                path.unlink(missing_ok=True)
    finally:
        progress.end()
    return left_out


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy a file, or a link as a link, with its times and mode."""
    mode = source.lstat().st_mode
    if stat.S_ISLNK(mode):
        target.symlink_to(os.readlink(source))
    elif not stat.S_ISREG(mode):
        # To open a pipe would wait for somebody who writes into it.
        raise shutil.SpecialFileError(f"{source} is no file")
    else:
        with open(source, "rb") as reading, open(target, "wb") as writing:
            # A log may grow faster than it is copied.
            left = os.fstat(reading.fileno()).st_size
            while left > 0 and (part := reading.read(min(left, _READ_BYTES))):
                writing.write(part)
                left -= len(part)
                progress.advance(len(part), files=0)
                progress.show(time.monotonic())
    shutil.copystat(source, target, follow_symlinks=False)
    progress.advance(0)
    progress.show(time.monotonic())


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _files(folder: Path, prefix: str) -> dict[str, Path]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            found[prefix + path.relative_to(folder).as_posix()] = path
    return found

"""Copy what a local job produced, in the layout of `az ml job download --all`."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.jobs import DEFAULT_OUTPUT, DownloadResult, check_empty_folder
from azureml_jobs.base.progress import Progress
from azureml_jobs.local.folder import JobFolder, files_below
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record, descendants

_READ_BYTES = 1 << 20


def download(
    folder: JobFolder, destination: Path, output_name: str | None = None
) -> DownloadResult:
    """Copy all outputs, or one of them, to `destination`.

    Named outputs go to `named-outputs/<name>/`; logs, `./outputs`, `./logs` and what was logged
    with MLflow go to `artifacts/` and are the output `default`. While a job runs, its files are
    copied as they are now. An interrupted download leaves nothing.
    Unless one output is wanted, the jobs that it started are in `steps/<step>/` alike.
    Raises `JobError` when `destination` holds something or there is no such output.
    """
    record = current_record(folder)
    entries = _entries(folder, record, _selected_outputs(record, output_name), "")
    for label, child in ({} if output_name else descendants(folder)).items():
        child_folder = folder.sibling(child.name)
        outputs = _selected_outputs(child, None)
        steps = f"steps/{label.replace('/', '/steps/')}/"
        entries |= _entries(child_folder, child, outputs, steps)
    check_empty_folder(destination)
    destination = destination.absolute()
    try:
        make_folder(destination.parent)
        temporary = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
        try:
            left_out = _copy_all(entries, temporary, record.has_ended)
            temporary.chmod(0o755)
            os.rename(temporary, destination)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise OutsideError(record.name, f"the download to {destination} failed: {error}") from error
    files = sum(source is not None for source in entries.values()) - len(left_out)
    return DownloadResult(files, record.status, tuple(left_out))


def artifacts(folder: JobFolder) -> list[tuple[str, Path]]:
    """Return the paths of logs and artifacts by the names that Azure ML gives them."""
    found: dict[str, Path] = {}
    logs = dict(files_below(folder.log.parent))
    if len(logs) > 1:
        # Azure ML keeps only those of the processes.
        logs.pop(folder.log.name, None)
    found.update((f"user_logs/{path}", source) for path, source in logs.items())
    store = MlflowStore(folder.mlruns)
    logged = store.artifacts_folder(folder.name)
    if logged is not None:
        found.update(files_below(logged))
    for name, model in store.logged_models(folder.name).items():
        found.update((f"{name}/{path}", source) for path, source in files_below(model))
    for name in ("outputs", "logs"):
        files = files_below(folder.work / name)
        found.update((f"{name}/{path}", source) for path, source in files)
    return sorted(found.items())


def _selected_outputs(record: JobRecord, output_name: str | None) -> list[str]:
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


def _entries(
    folder: JobFolder, record: JobRecord, wanted: list[str], prefix: str
) -> dict[str, Path | None]:
    """Return what to copy, by its path below the destination; None stands for a folder."""
    found: dict[str, Path | None] = {}
    for name in wanted:
        if name == DEFAULT_OUTPUT and name not in record.outputs:
            found[f"{prefix}artifacts"] = None
            found |= {f"{prefix}artifacts/{path}": source for path, source in artifacts(folder)}
        else:
            # Even when the job has not created it.
            found[f"{prefix}named-outputs/{name}"] = None
            source = folder.outputs / name
            if not source.exists():
                # An earlier job or a step has it.
                source = Path(record.outputs[name])
            found.update(_tree(source, f"{prefix}named-outputs/{name}/"))
    return found


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, Path | None]]:
    """Yield everything below a folder, including empty folders and links, or the one file."""
    if folder.is_file():
        yield prefix + folder.name, folder
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            is_folder = name in folders and not path.is_symlink()
            yield prefix + path.relative_to(folder).as_posix(), None if is_folder else path


def _copy_all(entries: dict[str, Path | None], target: Path, is_final: bool) -> list[str]:
    """Copy `entries` into `target`; return those that a running job removed meanwhile.

    Pipes, sockets and devices are left out, too: they have no content.
    """
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
                if not _has_content(source):
                    left_out.append(name)
                    continue
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
    else:
        with open(source, "rb") as reading, open(target, "wb") as writing:
            # A log may grow faster than it is copied.
            remaining = os.fstat(reading.fileno()).st_size
            while remaining > 0 and (part := reading.read(min(remaining, _READ_BYTES))):
                writing.write(part)
                remaining -= len(part)
                progress.advance(len(part), files=0)
                progress.show(time.monotonic())
    shutil.copystat(source, target, follow_symlinks=False)
    progress.advance(0)
    progress.show(time.monotonic())


def _has_content(path: Path) -> bool:
    """Return whether a path is a file or a link: opening a pipe would wait for a writer."""
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0

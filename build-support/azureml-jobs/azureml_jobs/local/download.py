"""Copy what a local job produced, in the layout of `az ml job download --all`."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import new_folder
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
    available = sorted({*record.outputs, DEFAULT_OUTPUT})
    if output_name is not None and output_name not in available:
        what = f"the job has no output `{output_name}`"
        raise JobError(record.name, what, f"Its outputs: {', '.join(available)}.")
    entries = _entries(folder, record, available if output_name is None else [output_name], "")
    for label, child in ({} if output_name else descendants(folder)).items():
        outputs = sorted({*child.outputs, DEFAULT_OUTPUT})
        steps = f"steps/{label.replace('/', '/steps/')}/"
        entries |= _entries(folder.sibling(child.name), child, outputs, steps)
    check_empty_folder(destination)
    # A link to an empty folder stays one.
    destination = Path(os.path.realpath(destination))
    try:
        with new_folder(destination.parent, f".{destination.name}-") as temporary:
            left_out = _copy_all(entries, temporary, record.has_ended)
            temporary.chmod(0o755)
            os.rename(temporary, destination)
    except OSError as error:
        raise OutsideError(record.name, f"the download to {destination} failed: {error}") from error
    files = sum(source is not None for source in entries.values()) - len(left_out)
    return DownloadResult(files, record.status, tuple(left_out))


def artifacts(folder: JobFolder) -> list[tuple[str, Path]]:
    """Return the paths of logs and artifacts by the names that Azure ML gives them."""
    logs = dict(files_below(folder.log.parent))
    if len(logs) > 1:
        # Azure ML keeps only those of the processes.
        logs.pop(folder.log.name, None)
    found = {f"user_logs/{path}": source for path, source in logs.items()}
    store = MlflowStore(folder.mlruns)
    run = store.run_folder(folder.name)
    if run is not None:
        found.update(files_below(run / "artifacts"))
    written = {name: folder.work / name for name in ("outputs", "logs")}
    for name, place in {**store.logged_models(folder.name), **written}.items():
        found.update((f"{name}/{path}", source) for path, source in files_below(place))
    return sorted(found.items())


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
    size, left_out = 0, []
    sources = list(filter(None, entries.values()))
    for source in sources:
        with contextlib.suppress(FileNotFoundError):
            size += source.lstat().st_size
    progress = Progress("Copying", len(sources), size)
    try:
        for name, entry in entries.items():
            path = target / name
            (path if entry is None else path.parent).mkdir(parents=True, exist_ok=True)
            try:
                if entry is not None and not _copy(entry, path, progress):
                    left_out.append(name)
            except FileNotFoundError:
                if is_final:
                    raise
                left_out.append(name)
                path.unlink(missing_ok=True)
    finally:
        progress.end()
    return left_out


def _copy(source: Path, target: Path, progress: Progress) -> bool:
    """Copy a file, or a link as a link, with its times and mode; return whether it is one."""
    mode = source.lstat().st_mode
    if stat.S_ISLNK(mode):
        target.symlink_to(os.readlink(source))
    elif not stat.S_ISREG(mode):
        # Opening a pipe would wait for a writer.
        return False
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
    return True

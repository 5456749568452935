"""Copy what a local job produced, in the layout of `az ml job download --all`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Dict, List, Optional

from azureml_jobs.errors import JobError, OutsideError
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current

# azure-ai-ml's name for the output that holds logs and artifacts.
DEFAULT_OUTPUT = "default"


def download(folder: JobFolder, destination: Path, output_name: Optional[str] = None) -> List[Path]:
    """Copy all outputs, or one of them, to `destination`; the files, in order.

    Named outputs go to `named-outputs/<name>/`; logs, `./outputs`, `./logs` and what was logged
    with MLflow go to `artifacts/` and are the output `default`. An interrupted download leaves
    nothing. Raises `JobError` when the job has not ended or `destination` holds something.
    """
    record = current(folder)
    if not record.has_ended:
        raise JobError(
            record.name,
            f"the job has not ended yet, its status is {record.status}",
            f"Wait for it: `./pants run :aml -- jobs stream {record.name}`.",
        )
    wanted = _wanted(record, output_name)
    refuse_used(destination)
    destination = destination.absolute()
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
        try:
            for name in wanted:
                if name == DEFAULT_OUTPUT and name not in record.outputs:
                    _copy_artifacts(folder, beside / "artifacts")
                else:
                    _copy_output(folder, name, beside / "named-outputs" / name)
            beside.chmod(0o755)
            os.rename(beside, destination)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as error:
        raise OutsideError(record.name, f"the download to {destination} failed: {error}") from error
    return [path for path in sorted(destination.rglob("*")) if not path.is_dir()]


def refuse_used(destination: Path) -> None:
    """Raise `JobError` for a place to download to that holds something already."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise JobError(
            str(destination.absolute()),
            "the folder to download to is not empty",
            "Name a new folder.",
        )


def artifacts(folder: JobFolder) -> List[tuple[str, Path]]:
    """Logs and artifacts under the names that Azure ML gives them, with where they are."""
    found: Dict[str, Path] = {}
    if folder.log.is_file():
        found["user_logs/std_log.txt"] = folder.log
    logged = MlflowStore(folder.mlruns).artifacts_folder(folder.name)
    if logged is not None:
        found.update(_files(logged, ""))
    for name in ("outputs", "logs"):
        found.update(_files(folder.work / name, f"{name}/"))
    return sorted(found.items())


def _wanted(record: JobRecord, output_name: Optional[str]) -> List[str]:
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


def _copy_artifacts(folder: JobFolder, target: Path) -> None:
    target.mkdir()
    for name, source in artifacts(folder):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, path, follow_symlinks=False)


def _copy_output(folder: JobFolder, name: str, target: Path) -> None:
    source = folder.outputs / name
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        # The job ended before its folders were made.
        target.mkdir(parents=True)


def _files(folder: Path, prefix: str) -> Dict[str, Path]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            found[prefix + path.relative_to(folder).as_posix()] = path
    return found

"""Stage jobs and scripts in the local workspace, ready for their runner."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence, TypeVar

from azureml_jobs.destination import LOCAL_FOLDER
from azureml_jobs.errors import JobError, OutsideError
from azureml_jobs.jobfile.expressions import render
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import resolve_inputs
from azureml_jobs.local.outputs import resolve_outputs
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.script import Script
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.prepare import PreparedJob
from azureml_jobs.snapshot.bundle import write_bundle
from azureml_jobs.snapshot.layout import lay_out
from azureml_jobs.snapshot.provenance import git_state
from azureml_jobs.snapshot.request import SOURCES_FOLDER, PackagesVenv, ScriptRequest

Written = TypeVar("Written")


def stage_job(prepared: PreparedJob, folder: Path, repository: Path) -> JobFolder:
    """Write the job into the local workspace of `repository`; its folder appears when it is whole.

    `folder` is the one of the request. Raises `JobError` for inputs that this machine does not
    have, before anything is written.
    """
    job = prepared.job
    inputs = resolve_inputs(job, repository / prepared.request.job_file, repository)
    python = seeded_prefix(prepared.request.venv, folder)
    git = git_state(repository, [file.source for file in prepared.bundle.code])

    def fill(staging: JobFolder, final: JobFolder) -> JobRecord:
        outputs = resolve_outputs(job, final)
        write_bundle(prepared.bundle, git, staging.bundle, repository, copy_data=False)
        return JobRecord(
            name=final.name,
            display_name=str(job.get("display_name") or ""),
            experiment_name=prepared.experiment_name,
            description=str(job.get("description") or ""),
            address=prepared.request.address,
            command=render(
                job["command"],
                {name: given.value for name, given in inputs.items()},
                {name: str(given.path) for name, given in outputs.items()},
                paths={
                    *(f"inputs.{name}" for name, given in inputs.items() if given.kind == "path"),
                    *(f"outputs.{name}" for name in outputs),
                },
            ),
            python=python,
            snapshot=prepared.bundle.snapshot_digest,
            tags={str(key): str(value) for key, value in (job.get("tags") or {}).items()},
            inputs={
                name: {"kind": given.kind, "value": given.value, "asset": given.asset}
                for name, given in inputs.items()
            },
            outputs={name: str(given.path) for name, given in outputs.items()},
            environment_variables={
                str(key): str(value)
                for key, value in (job.get("environment_variables") or {}).items()
            },
            timeout=_timeout(job),
        )

    stem = f"{prepared.experiment_name}-{prepared.bundle.snapshot_digest[:8]}"
    named = str(job["name"]) if job.get("name") else None
    root = repository / LOCAL_FOLDER
    return _written(root, lambda: LocalWorkspace(root).new_job(stem, fill, named))


def stage_script(
    request: ScriptRequest, folder: Path, repository: Path, arguments: Sequence[str]
) -> Path:
    """Write what a local script runs on into a new folder of the local workspace.

    The code is laid out as a job with `code: ..` has it; `data` beside it is a link to the
    repository's, so that `../data` is found from where the script starts.
    """
    if request.script is None:
        raise JobError(request.address, "its `entry_point` names no file", "Name one: local.py.")
    placed = lay_out(
        [(file.path, file.source_root) for file in request.files], None, request.address, "files"
    )
    python = seeded_prefix(request.venv, folder)
    script = next(name for name, path in placed.items() if path == request.script)
    experiment = posixpath.basename(posixpath.dirname(request.script)) or "local"
    base = repository / LOCAL_FOLDER / "local"

    def fill() -> Path:
        base.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f"{experiment}-", dir=base))
        try:
            for name, path in placed.items():
                target = stage / "code" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                source = folder / SOURCES_FOLDER / path
                shutil.copyfile(source, target)
                # Pants may have gathered it read-only; it is the script's own copy.
                is_executable = source.stat().st_mode & stat.S_IXUSR
                target.chmod(0o755 if is_executable else 0o644)
            (stage / "data").symlink_to(repository / "data")
            module = script[: -len(".py")].replace("/", ".")
            Script(["python", "-m", module, *arguments], python, experiment).write(stage)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        return stage

    return _written(repository / LOCAL_FOLDER, fill)


def seeded_prefix(venv: PackagesVenv | None, folder: Path) -> str:
    """Prefix of the packages' virtual environment, made anew when Pants' cache was pruned."""
    if venv is None:
        raise ValueError("the request was made to bundle, not to run")
    if not os.path.exists(os.path.join(venv.prefix, "bin", "python")):
        seeding = subprocess.run(
            [str(folder / venv.seed), "-c", ""], capture_output=True, text=True, check=False
        )
        if seeding.returncode != 0:
            raise OutsideError(
                venv.prefix,
                f"the packages could not be installed again: {seeding.stderr.strip()}",
                "Remove that folder and run the command again.",
            )
    return venv.prefix


def _written(root: Path, write: Callable[[], Written]) -> Written:
    """Call `write`; a disk that does not take it is the outside's failure, not our bug."""
    try:
        return write()
    except OSError as error:
        # A copy that fails names what it read, which is not what is to be looked at.
        blamed = str(error.filename or "")
        raise OutsideError(
            LOCAL_FOLDER,
            f"the local workspace could not be written: {error.strerror or error}",
            "Look at the free space and the permissions of "
            f"{blamed if blamed.startswith(str(root)) else root}.",
        ) from error


def _timeout(job: Mapping[str, Any]) -> float | None:
    limits = job.get("limits")
    timeout = limits.get("timeout") if isinstance(limits, Mapping) else None
    return float(timeout) if timeout else None

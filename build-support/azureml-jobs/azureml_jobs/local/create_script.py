"""Create a script, a shell or tests in the local workspace, on the code that it needs."""

from __future__ import annotations

import hashlib
import json
import posixpath
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_jobs.base.digest import content_digest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.files import copy_file
from azureml_jobs.base.jobs import job_name_stem
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.files import lay_out
from azureml_jobs.docker.container import Container, Mount, code_folder
from azureml_jobs.docker.engine import Image
from azureml_jobs.local.debugger.debugger import CodeCopy, Debugger
from azureml_jobs.local.mounts import container
from azureml_jobs.local.process_spec import with_python_path
from azureml_jobs.local.run_environment import ensure_packages_venv
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.script import Script, experiment_of
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import SOURCES_FOLDER, ScriptRequest


def script_command(request: ScriptRequest, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs the script. Raises `JobError` when the target names none."""
    layout = _layout(request)
    name = next((name for name, path in layout.items() if path == request.script), None)
    if name is None:
        raise JobError(request.address, "its `entry_point` names no file", "Name one: local.py.")
    return ["python", name, *arguments]


def pytest_command(request: ScriptRequest, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs the tests. Raises `JobError` when the target has none."""
    names = [name for name, path in _layout(request).items() if path in request.tests]
    if not names:
        raise JobError(
            request.address,
            "it has no tests",
            "Write one, such as tests/test_main.py; its target must be in the `dependencies`.",
        )
    # Without a cache the tests leave no files next to the code.
    return ["python", "-m", "pytest", "-p", "no:cacheprovider", *names, *arguments]


def result_file(
    request: ScriptRequest, folder: Path, repository: Path, image: Image, command: Sequence[str]
) -> Path:
    """Return the file that keeps the output of the tests once they have passed.

    Its name depends on the image's content, the files and the command line.
    """
    paths = [file.path for file in request.files]
    sources = content_digest(
        (path, (folder / SOURCES_FOLDER / path).read_bytes(), False) for path in paths
    )
    key = json.dumps([image.id, sources, list(command)])
    return repository / LOCAL_FOLDER / "tests" / f"{hashlib.sha256(key.encode()).hexdigest()}.txt"


def create_script(
    request: ScriptRequest,
    folder: Path,
    repository: Path,
    runtime: Runtime,
    command: Sequence[str],
    result: str = "",
    debugger: Debugger | None = None,
) -> Path:
    """Write what `command` runs on into a new folder of the local workspace.

    `folder` is the one of the request. `result` is for tests: the file that keeps their output.

    The code has the layout of a job with `code: ..`; next to it is the repository's `data`, so that
    the command finds `../data`.
    """
    layout = _layout(request)
    python = "" if runtime.image else ensure_packages_venv(request.venv, folder)
    experiment = experiment_of(request.address)
    workspace = LocalWorkspace(repository / LOCAL_FOLDER)
    with workspace.new_script_folder(job_name_stem(experiment)) as created:
        for name, path in layout.items():
            source = folder / SOURCES_FOLDER / path
            # Pants may have gathered it read-only, but the script may change its own copy.
            copy_file(source, created / "code" / name, bool(source.stat().st_mode & stat.S_IXUSR))
        (created / "data").symlink_to(repository / "data")
        own = _script_container(created, repository, runtime, request) if runtime.image else None
        work = own.work if own else str(created / "code")
        folders = [posixpath.join(work, name).rstrip("/") for name in request.search_path]
        if debugger is not None:
            code = CodeCopy(created / "code", layout, repository)
            debugger_folder = created / "debugger"
            folders.insert(0, debugger.write(debugger_folder, debugger_folder, code, own))
        Script(
            with_python_path(command, *folders),
            python=python,
            container=own,
            experiment_name=experiment,
            result=result,
        ).write(created)
    return created


def _layout(request: ScriptRequest) -> Mapping[str, str]:
    layout = lay_out(request.files, f"{request.address}: files")
    return {name: file.path for name, file in layout.items()}


def _script_container(
    folder: Path, repository: Path, runtime: Runtime, request: ScriptRequest
) -> Container:
    work, data = code_folder(folder.name), repository / "data"
    mounts = [Mount(str(folder / "code"), work)]
    # Git keeps no empty folder, and Docker mounts only what exists.
    if data.is_dir():
        mounts.append(Mount(str(data), posixpath.join(posixpath.dirname(work), "data")))
    return container(folder, work, runtime, mounts, request.options.run_arguments)

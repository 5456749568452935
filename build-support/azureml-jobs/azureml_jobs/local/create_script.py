"""Stage a script, a shell or tests in the local workspace, on the code of a closure."""

from __future__ import annotations

import posixpath
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_names import job_name_stem
from azureml_jobs.bundle.layout import lay_out
from azureml_jobs.docker.container import Container, Mount, code_folder
from azureml_jobs.local.create_folder import experiment_of, new_local_folder, seeded_prefix
from azureml_jobs.local.debugger.debugger import Debugger, StagedCode, debugged
from azureml_jobs.local.mounts import container
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.script import Script
from azureml_jobs.protocol import SOURCES_FOLDER, ScriptRequest


def script_command(request: ScriptRequest, arguments: Sequence[str]) -> list[str]:
    """The command that runs the script. Raises `JobError` when the target names none."""
    placed = _placed(request)
    name = next((name for name, path in placed.items() if path == request.script), None)
    if name is None:
        raise JobError(request.address, "its `entry_point` names no file", "Name one: local.py.")
    return ["python", "-m", name[: -len(".py")].replace("/", "."), *arguments]


def pytest_command(request: ScriptRequest, arguments: Sequence[str]) -> list[str]:
    """The command that runs the tests. Raises `JobError` when the target has none."""
    names = [name for name, path in _placed(request).items() if path in request.tests]
    if not names:
        raise JobError(
            request.address,
            "it has no tests",
            "Name the `python_tests` in its `dependencies`, and write one: tests/test_main.py.",
        )
    # Nothing is to be left beside the code.
    return ["python", "-m", "pytest", "-p", "no:cacheprovider", *names, *arguments]


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

    `result` is for tests, the file that keeps their output.

    The code is laid out as a job with `code: ..` has it; `data` beside it is the repository's, so
    that `../data` is found from where the command starts.
    """
    placed = _placed(request)
    python = "" if runtime.image else seeded_prefix(request.venv, folder)
    experiment = experiment_of(request.address)

    def fill(stage: Path) -> None:
        for name, path in placed.items():
            _copy(folder / SOURCES_FOLDER / path, stage / "code" / name)
        (stage / "data").symlink_to(repository / "data")
        inside = _script_container(stage, repository, runtime, request) if runtime.image else None
        argv = list(command)
        if debugger is not None:
            code = StagedCode(stage / "code", placed, repository)
            at = stage / "debugger"
            argv = debugged(argv, debugger.write(at, at, code, inside))
        Script(
            argv,
            python=python,
            container=inside.as_data() if inside else None,
            experiment_name=experiment,
            result=result,
        ).write(stage)

    return new_local_folder(repository, job_name_stem(experiment), fill)


def _placed(request: ScriptRequest) -> Mapping[str, str]:
    return lay_out(
        [(file.path, file.source_root) for file in request.files], None, request.address, "files"
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    # Pants may have gathered it read-only; it is the script's own copy.
    target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)


def _script_container(
    stage: Path, repository: Path, runtime: Runtime, request: ScriptRequest
) -> Container:
    work = code_folder(stage.name)
    mounts = [
        Mount(str(stage / "code"), work),
        Mount(str(repository / "data"), posixpath.join(posixpath.dirname(work), "data")),
    ]
    return container(stage, work, runtime, mounts, request.options.run_arguments)

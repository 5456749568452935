"""Refuse the file of a deployment that would send secrets: azure-ai-ml sends all that it names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.guard import suspicious_names
from azureml_jobs.bundle.secret_guard import check_secrets, suspicious_files
from azureml_jobs.jobfile.paths import is_local


def check_deployment(file: Path, deployment: Any, allow: Sequence[str]) -> None:
    """Raise `JobError` for what looks like a secret in the file, or in what it names here.

    `deployment` is what azure-ai-ml has read of the file.
    """
    model = getattr(deployment.model, "path", None)
    found = [*suspicious_files(_file(path) for path in (file, *_sent_files(deployment)))]
    if model and is_local(str(model)):
        found += suspicious_names(str(model), _shown(Path(model)))
    check_secrets(found, allow, str(file), "deployment")


def _sent_files(deployment: Any) -> Iterator[Path]:
    environment, code = deployment.environment, deployment.code_configuration
    if code and code.code and is_local(code.code):
        yield from _folder(Path(deployment.base_path, code.code))
    if environment is None or isinstance(environment, str):
        return
    build = environment.build and environment.build.path
    if build and is_local(build):
        yield from _folder(Path(environment.base_path, build))
    if environment._conda_file_path:
        yield Path(environment._conda_file_path)


def _folder(folder: Path) -> Iterator[Path]:
    """Yield what azure-ai-ml sends of a folder, which may have files of what to ignore."""
    from azure.ai.ml._utils._asset_utils import get_ignore_file, get_upload_files_from_folder

    # Pairs of a path here and a name there, whatever its annotation says.
    files: Any = get_upload_files_from_folder(folder, ignore_file=get_ignore_file(folder))
    for path, _ in files:
        yield Path(path)


def _file(path: Path) -> BundleFile:
    return BundleFile.read(path, path.name, _shown(path), "")


def _shown(path: Path) -> str:
    """Return the path relative to the folder where the command runs, as far as it is below."""
    inside = path.absolute().is_relative_to(Path.cwd())
    shown = path.absolute().relative_to(Path.cwd()) if inside else path
    return posixpath.normpath(shown.as_posix())

"""The files of a job's environment: a Docker build context, or a file of conda packages."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.jobfile.needs import JobNeeds
from azureml_jobs.protocol import (
    REQUIREMENTS_FILE,
    SOURCES_FOLDER,
    JobRequest,
    UnitFiles,
    requirements_file,
)


def environment_files(
    request: JobRequest, unit: UnitFiles, job: Mapping[str, Any], needs: JobNeeds, folder: Path
) -> tuple[BundleFile, ...]:
    """Return the files that the environment is built from, none for one that is referred to.

    Raises `JobError` for an environment that cannot be built.
    """
    if needs.build_context is not None and "conda_file" in job["environment"]:
        # https://learn.microsoft.com/azure/machine-learning/reference-yaml-environment
        raise JobError(
            f"{request.job_file}: environment.conda_file",
            "conda packages need an `image:`, and this environment has a `build:`",
            "Install them in the Dockerfile, or write `image:` in place of `build:`.",
        )
    if needs.build_context is not None:
        dockerfile = job["environment"]["build"].get("dockerfile_path") or "Dockerfile"
        return _context_files(request, unit, needs.build_context, dockerfile, folder)
    if needs.conda_file is not None:
        return (_conda_file(request, needs.conda_file, folder),)
    return ()


def _context_files(
    request: JobRequest, unit: UnitFiles, context: str, dockerfile: str, folder: Path
) -> tuple[BundleFile, ...]:
    where = f"{request.job_file}: environment.build.path"
    inside = {
        posixpath.relpath(path, context): path
        for path in unit.context_files
        if path.startswith(context + "/")
    }
    if posixpath.normpath(dockerfile) not in inside:
        raise JobError(
            where,
            f"there is no {dockerfile} in {context}",
            f"Write {context}/{dockerfile}, or name the folder that has it.",
        )
    if REQUIREMENTS_FILE in inside:
        raise JobError(
            where,
            f"{context}/{REQUIREMENTS_FILE} would be overwritten by the locked packages",
            "Remove the file: the packages come from the lock "
            f"{unit.packages.lock}, by what the code imports.",
        )
    files = [
        BundleFile.read(folder / SOURCES_FOLDER / path, name, path, "in the build context")
        for name, path in inside.items()
    ]
    requirements = BundleFile.read(
        folder / requirements_file(unit.name),
        REQUIREMENTS_FILE,
        unit.packages.lock,
        "the locked packages that the code imports",
    )
    return tuple(sorted([*files, requirements], key=lambda file: file.path))


def _conda_file(request: JobRequest, conda_file: str, folder: Path) -> BundleFile:
    content = folder / SOURCES_FOLDER / conda_file
    if not content.is_file():
        raise JobError(
            f"{request.job_file}: environment.conda_file",
            f"there is no {conda_file}",
            "Write a path relative to the job file.",
        )
    name = posixpath.basename(conda_file)
    return BundleFile.read(content, name, conda_file, "the environment's conda packages")

"""The files of a unit's environment: a Docker build context, or a file of conda packages."""

from __future__ import annotations

import posixpath
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.jobfile.units import CodeUnit, UnitEnvironment
from azureml_jobs.protocol import REQUIREMENTS_FILE, SOURCES_FOLDER, UnitFiles, requirements_file


def environment_files(unit: CodeUnit, files: UnitFiles, folder: Path) -> tuple[BundleFile, ...]:
    """Return the files that the environment is built from, none for one that is referred to.

    A build context is given the locked packages that the code imports as `requirements.txt`,
    unless it has that file. Raises `JobError` for an environment that cannot be built.
    """
    environment = unit.environment
    if environment is None:
        return ()
    where = f"{unit.document}: {'.'.join(environment.keys)}"
    if environment.build_context is not None and "conda_file" in environment.value:
        # https://learn.microsoft.com/azure/machine-learning/reference-yaml-environment
        raise JobError(
            f"{where}.conda_file",
            "conda packages need an `image:`, and this environment has a `build:`",
            "Install them in the Dockerfile, or write `image:` in place of `build:`.",
        )
    if environment.build_context is not None:
        return _context_files(environment, environment.build_context, files, folder, where)
    if environment.conda_file is not None:
        return (_conda_file(environment.conda_file, folder, where),)
    return ()


def _context_files(
    environment: UnitEnvironment, context: str, files: UnitFiles, folder: Path, where: str
) -> tuple[BundleFile, ...]:
    dockerfile = environment.value["build"].get("dockerfile_path") or "Dockerfile"
    inside = {
        posixpath.relpath(path, context): path
        for path in files.context_files
        if path.startswith(context + "/")
    }
    if posixpath.normpath(dockerfile) not in inside:
        raise JobError(
            f"{where}.build.path",
            f"there is no {dockerfile} in {context}",
            f"Write {context}/{dockerfile}, or name the folder that has it.",
        )
    found = [
        BundleFile.read(folder / SOURCES_FOLDER / path, name, path, "in the build context")
        for name, path in inside.items()
    ]
    if REQUIREMENTS_FILE not in inside:
        requirements = BundleFile.read(
            folder / requirements_file(files.name),
            REQUIREMENTS_FILE,
            files.packages.lock,
            "the locked packages that the code imports",
        )
        found.append(requirements)
    return tuple(sorted(found, key=lambda file: file.path))


def _conda_file(conda_file: str, folder: Path, where: str) -> BundleFile:
    content = folder / SOURCES_FOLDER / conda_file
    if not content.is_file():
        raise JobError(
            f"{where}.conda_file",
            f"there is no {conda_file}",
            "Write a path relative to the job file.",
        )
    name = posixpath.basename(conda_file)
    return BundleFile.read(content, name, conda_file, "the environment's conda packages")

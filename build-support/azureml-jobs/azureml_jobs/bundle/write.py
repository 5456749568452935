"""Write a bundle into a folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.contents import Bundle
from azureml_jobs.bundle.data import copy_data
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.provenance import GitState
from azureml_jobs.jobfile.document import dump_job_file

JOB_FILE = "azure-ml-job.yaml"
CODE_FOLDER = "code"
ENVIRONMENT_FOLDER = "environment"
DATA_FOLDER = "data"
MANIFEST_FILE = "manifest.json"


def write_bundle(
    bundle: Bundle, git: GitState | None, destination: Path, repository: Path, with_data: bool
) -> None:
    """Write the bundle into `destination`, which does not exist yet.

    `with_data` copies local data inputs, so that the bundle can be given to somebody else; without
    it the job file refers to them where they are. The caller renames the finished folder. Raises
    `OSError` when it cannot be written.
    """
    destination.mkdir(parents=True)
    # A path with `..` would lead elsewhere from behind a link.
    destination = destination.resolve()
    unit = bundle.unit
    for folder, files in ((CODE_FOLDER, unit.code), (ENVIRONMENT_FOLDER, unit.environment)):
        for file in files:
            target = destination / folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.content, target)
            target.chmod(0o755 if file.executable else 0o644)
    # A job without its own code starts there, too.
    (destination / CODE_FOLDER).mkdir(exist_ok=True)
    job = _job_in_bundle(bundle, _data_paths(bundle, destination, repository, with_data))
    manifest_text = json.dumps(manifest(bundle, git), indent=2, ensure_ascii=True) + "\n"
    for name, text in ((JOB_FILE, dump_job_file(job)), (MANIFEST_FILE, manifest_text)):
        (destination / name).write_text(text, encoding="utf-8")
        (destination / name).chmod(0o644)
    # Whatever the umask is: another user may run the bundle.
    for path, _, _ in os.walk(destination):
        os.chmod(path, 0o755)


def _data_paths(
    bundle: Bundle, destination: Path, repository: Path, with_data: bool
) -> dict[str, str]:
    """Return the path of each local data input for the job file, after copying it if asked to."""
    paths = {}
    for item in bundle.data:
        original = repository / item.path
        if with_data:
            inside = f"{DATA_FOLDER}/{item.name}/{original.name}"
            copy_data(original, destination / inside)
            paths[item.name] = f"./{inside}"
        else:
            paths[item.name] = os.path.relpath(original, destination)
    return paths


def _job_in_bundle(bundle: Bundle, data_paths: Mapping[str, str]) -> dict[str, Any]:
    """Return the job with its paths pointing into the bundle."""
    job: dict[str, Any] = deepcopy(dict(bundle.job))
    unit = bundle.unit
    if unit.code:
        job["code"] = f"./{CODE_FOLDER}"
    else:
        # Azure ML refuses to upload an empty folder.
        job.pop("code", None)
    if unit.environment and "build" in job["environment"]:
        job["environment"]["build"]["path"] = f"./{ENVIRONMENT_FOLDER}"
    elif unit.environment:
        job["environment"]["conda_file"] = f"./{ENVIRONMENT_FOLDER}/{unit.environment[0].path}"
    for name, path in data_paths.items():
        job["inputs"][name]["path"] = path
    return job

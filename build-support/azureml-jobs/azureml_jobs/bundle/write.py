"""Write a bundle into a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.contents import Bundle
from azureml_jobs.bundle.data import copy_data
from azureml_jobs.bundle.manifest import manifest, manifest_text
from azureml_jobs.bundle.names import (
    CODE_FOLDER,
    DATA_FOLDER,
    DIFF_FILE,
    ENVIRONMENT_FOLDER,
    MANIFEST_FILE,
)
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance
from azureml_jobs.bundle.rewrite import rewritten_documents
from azureml_jobs.jobfile.document import dump_job_file


def write_bundle(
    plan: JobPlan, provenance: Provenance, destination: Path, repository: Path, with_data: bool
) -> None:
    """Write the bundle of a job into `destination`, which does not exist yet.

    `with_data` copies local data inputs, so that the bundle can be given to somebody else; without
    it the job file refers to them where they are. The caller renames the finished folder. Raises
    `OSError` when it cannot be written.
    """
    bundle = plan.bundle
    destination.mkdir(parents=True)
    # A path with `..` would lead elsewhere from behind a link.
    destination = destination.resolve()
    for unit in bundle.units:
        for folder, files in ((CODE_FOLDER, unit.code), (ENVIRONMENT_FOLDER, unit.environment)):
            _copy(files, destination / unit.folder(folder))
    # A job without its own code starts there, too.
    (destination / CODE_FOLDER).mkdir(exist_ok=True)
    data_paths = _data_paths(bundle, destination, repository, with_data)
    texts = {
        name: dump_job_file(document).encode()
        for name, document in rewritten_documents(bundle, data_paths).items()
    }
    texts[MANIFEST_FILE] = manifest_text(manifest(plan, provenance)).encode()
    texts[DIFF_FILE] = provenance.git.diff if provenance.git else b""
    for name, text in texts.items():
        (destination / name).write_bytes(text)
        (destination / name).chmod(0o644)
    # Whatever the umask is: another user may run the bundle.
    for path, _, _ in os.walk(destination):
        os.chmod(path, 0o755)


def _copy(files: Sequence[BundleFile], folder: Path) -> None:
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.content, target)
        target.chmod(0o755 if file.executable else 0o644)


def _data_paths(
    bundle: Bundle, destination: Path, repository: Path, with_data: bool
) -> dict[str, str]:
    """Return the path of each local data input for the job file, after copying it if asked to."""
    paths = {}
    for item in bundle.data:
        original = repository / item.path
        if with_data:
            # What is not on this machine has its place in the bundle.
            inside = f"{DATA_FOLDER}/{item.name}/{original.name}"
            if original.exists():
                copy_data(original, destination / inside)
            paths[item.name] = f"./{inside}"
        else:
            paths[item.name] = os.path.relpath(original, destination)
    return paths

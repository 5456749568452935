"""Write a bundle into a folder, with paths that lead to its own files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from azureml_jobs.base.files import copy_file
from azureml_jobs.bundle.contents import Bundle, UnitBundle
from azureml_jobs.bundle.data import copy_data
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.manifest_file import manifest_text
from azureml_jobs.bundle.names import (
    CODE_FOLDER,
    DATA_FOLDER,
    DIFF_FILE,
    ENVIRONMENT_FOLDER,
    MANIFEST_FILE,
)
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance
from azureml_jobs.jobfile.document import dump_job_file
from azureml_jobs.jobfile.documents import FILE_PREFIX, references_of, set_value, value_at


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
            for file in files:
                place = destination / unit.folder(folder) / file.path
                copy_file(file.content, place, file.executable)
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
            if os.path.exists(original):
                copy_data(original, destination / inside)
            paths[item.name] = f"./{inside}"
        else:
            paths[item.name] = os.path.relpath(original, destination)
    return paths


def rewritten_documents(bundle: Bundle, data_paths: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return each document of the bundle by its file name there.

    All are in the bundle's folder, so that a path is the same in each; environments that are in
    files of their own become part of what names them, since each unit has its own packages.
    `data_paths` are the paths of local data by the names of inputs.
    """
    names = bundle.document_names
    written: dict[str, dict[str, Any]] = {
        path: deepcopy(dict(bundle.documents[path])) for path in names
    }
    for path, document in written.items():
        for reference in references_of(bundle.documents[path], path):
            if reference.is_environment:
                named: Any = deepcopy(dict(bundle.documents[reference.path]))
            else:
                is_prefixed = value_at(document, reference.keys).startswith(FILE_PREFIX)
                named = f"{FILE_PREFIX if is_prefixed else ''}./{names[reference.path]}"
            set_value(document, reference.keys, named)
    for unit in bundle.units:
        _rewrite_unit(written[unit.unit.document], unit)
    for item in bundle.data:
        set_value(written[item.document], (*item.keys, "path"), data_paths[item.name])
    in_code = bundle.documents_in_code
    return {names[path]: written[path] for path in written if path not in in_code}


def _rewrite_unit(document: dict[str, Any], bundled: UnitBundle) -> None:
    unit = bundled.unit
    if bundled.code_keys:
        holder = value_at(document, unit.keys)
        holder.pop("additional_includes", None)
        if bundled.code:
            holder[unit.code_key] = f"./{bundled.folder(CODE_FOLDER)}"
        else:
            # Azure ML refuses to upload an empty folder.
            holder.pop(unit.code_key, None)
    if unit.environment is not None and bundled.environment:
        folder = f"./{bundled.folder(ENVIRONMENT_FOLDER)}"
        environment = value_at(document, unit.environment.keys)
        if unit.environment.build_context is not None:
            environment["build"]["path"] = folder
        else:
            environment["conda_file"] = f"{folder}/{bundled.environment[0].path}"

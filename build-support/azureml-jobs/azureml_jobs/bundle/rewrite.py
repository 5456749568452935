"""Rewrite the paths in a job's documents, so that they lead to the files of the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from azureml_jobs.bundle.contents import Bundle, UnitBundle
from azureml_jobs.bundle.names import CODE_FOLDER, ENVIRONMENT_FOLDER
from azureml_jobs.jobfile.documents import FILE_PREFIX, references_of, set_value, value_at


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
    in_code = {unit.unit.document for unit in bundle.units if not unit.unit.code_key}
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

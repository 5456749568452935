"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.code import (
    build_context,
    closure,
    command_targets,
    declared,
    entry_point,
    excluded_packages,
    file_imports,
    import_errors,
    job_code,
    job_units,
    loaded_code,
    modules,
    owners,
    requirement_files,
    script_code,
    source_roots,
    sources,
)


def rules():
    return [
        *build_context.rules(),
        *closure.rules(),
        *command_targets.rules(),
        *declared.rules(),
        *entry_point.rules(),
        *excluded_packages.rules(),
        *file_imports.rules(),
        *import_errors.rules(),
        *job_code.rules(),
        *job_units.rules(),
        *loaded_code.rules(),
        *modules.rules(),
        *owners.rules(),
        *requirement_files.rules(),
        *script_code.rules(),
        *source_roots.rules(),
        *sources.rules(),
    ]

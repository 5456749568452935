"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.code import (
    build_context,
    build_folders,
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
from pants.engine.rules import collect_rules


def rules():
    return collect_rules(
        build_context,
        build_folders,
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

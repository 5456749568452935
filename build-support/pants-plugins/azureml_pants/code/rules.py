"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.code import (
    build_folders,
    closure,
    command_targets,
    declared,
    entry_point,
    import_errors,
    job_code,
    job_units,
    listed_packages,
    loaded_code,
    modules,
    owners,
    script_code,
    source_roots,
    sources,
)
from pants.engine.rules import collect_rules


def rules():
    return collect_rules(
        build_folders,
        closure,
        command_targets,
        declared,
        entry_point,
        import_errors,
        job_code,
        job_units,
        listed_packages,
        loaded_code,
        modules,
        owners,
        script_code,
        source_roots,
        sources,
    )

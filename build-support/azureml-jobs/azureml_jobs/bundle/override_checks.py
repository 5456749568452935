"""Check that what overrides change was gathered: a snapshot is made for the job file as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.imports.closure import Launch, find_closure
from azureml_jobs.imports.questions import answer_from_folder
from azureml_jobs.imports.result import Closure
from azureml_jobs.jobfile.units import CodeUnit
from azureml_jobs.protocol import GatheringErrors, JobRequest

_OTHER_FILE = "Write another job file with its own `azureml_job` target"


def check_overridden_units(
    request: JobRequest, original: Sequence[CodeUnit], units: Sequence[CodeUnit], repository: Path
) -> tuple[str, ...]:
    """Raise `JobError` for overrides after which a unit needs files that were not gathered.

    Returns warnings of what an overridden command runs and cannot be known.
    """
    before = {unit.name: unit for unit in original}
    gathered = {each.name: {file.path for file in each.files} for each in request.units}
    warnings: list[str] = []
    for unit in units:
        if unit.name not in before:
            raise JobError(
                f"{unit.document}: {'.'.join(unit.keys)}",
                "the job file has no such command, and an override cannot add one",
                suggestion(unit.name, sorted(before), "It has none at all."),
            )
        old = before[unit.name]
        if unit.code.path != old.code.path:
            raise JobError(unit.code.where, "the code cannot be overridden", f"{_OTHER_FILE}.")
        if _paths(unit) != _paths(old):
            raise JobError(
                f"{unit.document}: {'.'.join((*unit.keys, 'environment'))}",
                "the folder or file of an environment cannot be overridden",
                f"{_OTHER_FILE}.",
            )
        if unit.starts != old.starts and unit.code.path is not None:
            python = sys.version_info[:2]
            launch = Launch(unit.code, request.source_roots, unit.starts, unit.where, python)
            closure = answer_from_folder(repository, find_closure(launch), python)
            _check_closure(unit, closure, gathered[unit.name])
            warnings += closure.warnings
    return tuple(warnings)


def _check_closure(unit: CodeUnit, closure: Closure, gathered: set[str]) -> None:
    if closure.errors:
        raise GatheringErrors("\n\n".join(closure.errors))
    certain = (each for each in closure.modules if each.is_certain and not each.is_optional)
    own = next((each for each in certain if each.nearest), None)
    if own is not None:
        raise JobError(
            own.where,
            f"with the overridden command Python does not find `{own.module}`, which is "
            f"{own.nearest}",
            own.remedy or "",
        )
    missing = next((file for file in closure.files if file.path not in gathered), None)
    if missing is not None:
        raise JobError(
            unit.where,
            f"the overridden command needs {missing.path}, which is not in the snapshot",
            f"A snapshot is made for the command in the job file. {_OTHER_FILE},\n"
            "or name what the command runs in the BUILD file: "
            f'`experiment(entry_point="{missing.name}")`, or in `azureml_job(…)` where that is '
            "written out.",
        )


def _paths(unit: CodeUnit) -> tuple[str | None, str | None]:
    environment = unit.environment
    return (environment.build_context, environment.conda_file) if environment else (None, None)

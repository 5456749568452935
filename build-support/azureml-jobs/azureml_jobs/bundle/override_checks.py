"""Check that what overrides change was gathered: a snapshot is made for the job file as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.code import PythonStart
from azureml_jobs.jobfile.units import CodeUnit
from azureml_jobs.protocol import JobRequest

_OTHER_FILE = "Write another job file with its own `azureml_job` target"
# What runs as a module and is never in a snapshot.
_TOOLS = sys.stdlib_module_names | {"pip"}


def check_overridden_units(
    request: JobRequest, original: Sequence[CodeUnit], units: Sequence[CodeUnit]
) -> None:
    """Raise `JobError` for overrides after which a unit needs files that were not gathered."""
    before = {unit.name: unit for unit in original}
    gathered = {each.name: {file.name for file in each.files} for each in request.units}
    for unit in units:
        if unit.name not in before:
            raise JobError(_where(unit), "a command cannot be added", f"{_OTHER_FILE}.")
        old = before[unit.name]
        if unit.code.path != old.code.path:
            raise JobError(unit.code.where, "the code cannot be overridden", f"{_OTHER_FILE}.")
        if _paths(unit) != _paths(old):
            raise JobError(
                f"{unit.document}: {'.'.join((*unit.keys, 'environment'))}",
                "the folder or file of an environment cannot be overridden",
                f"{_OTHER_FILE}.",
            )
        for start in unit.starts.python:
            if start not in old.starts.python and not _is_found(start, gathered[unit.name]):
                raise JobError(
                    _where(unit),
                    f"the overridden command runs {start.value}, which is not in the snapshot",
                    f"A snapshot is made for the command in the job file. {_OTHER_FILE},\n"
                    f'or name it in the target: `azureml_job(…, entry_point="{start.value}")`.',
                )


def _where(unit: CodeUnit) -> str:
    return f"{unit.document}: {'.'.join((*unit.keys, 'command'))}"


def _paths(unit: CodeUnit) -> tuple[str | None, str | None]:
    environment = unit.environment
    return (environment.build_context, environment.conda_file) if environment else (None, None)


def _is_found(start: PythonStart, names: set[str]) -> bool:
    if start.kind == "source" or not start.is_certain:
        return True
    path = start.value
    if start.kind == "module":
        if path.partition(".")[0] in _TOOLS:
            return True
        path = path.replace(".", "/")
    folders = start.search_path if start.kind == "module" else ("",)
    return any(
        f"{folder}/{path}{ending}".lstrip("/") in names
        for folder in folders
        for ending in ("", ".py", "/__main__.py")
    )

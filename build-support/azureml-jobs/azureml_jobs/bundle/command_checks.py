"""Check that a job's command finds its code in the snapshot, also after overrides."""

from __future__ import annotations

from pathlib import PurePosixPath

from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.contents import Bundle
from azureml_jobs.jobfile.needs import JobNeeds
from azureml_jobs.protocol import JobRequest


def check_code_paths(bundle: Bundle, needs: JobNeeds) -> None:
    """Raise `JobError` for code that the command names by another path than in the snapshot."""
    name_of = {file.source: file.path for file in bundle.unit.code}
    folders = _folders(bundle.request)
    for point in needs.entry_points:
        sources = point.candidate_paths(needs.code_folder, folders)
        name = next((name_of[source] for source in sources if source in name_of), None)
        if point.kind == "file" or name is None:
            continue
        wanted = point.candidate_paths("")
        if point.kind == "script":
            is_found, to_write = any(path in name_of.values() for path in wanted), name
        else:
            # After a `cd`, or with a PYTHONPATH, it is a module of any folder.
            endings = tuple(f"/{path}" for path in wanted)
            is_found = any(f"/{path}".endswith(endings) for path in name_of.values())
            to_write = name.removesuffix(".py").replace("/", ".")
        if not is_found:
            raise JobError(
                f"{bundle.request.job_file}: command",
                f"the command runs {point.value}, which is {name} in the snapshot",
                f"Write `{to_write}` in the command, or let `code:` name another folder: files in "
                "it keep their path below it.",
            )


def check_overridden_needs(request: JobRequest, original: JobNeeds, needs: JobNeeds) -> None:
    """Raise `JobError` for overrides after which the job needs files that were not gathered."""
    gathered = {file.path for unit in request.units for file in unit.files}
    folders = _folders(request)
    for point in needs.entry_points:
        if point in original.entry_points or point.kind == "file" or point.is_part_of_python:
            continue
        if gathered.isdisjoint(point.candidate_paths(needs.code_folder, folders)):
            raise JobError(
                f"{request.job_file}: command",
                f"the overridden command runs {point.value}, which is not in the snapshot",
                "A snapshot is made for the command in the job file. Write another job file with "
                "its own `azureml_job` target,\n"
                f'or name it in the target: `azureml_job(…, entry_point="{point.value}")`.',
            )
    if (needs.build_context, needs.conda_file) != (original.build_context, original.conda_file):
        raise JobError(
            f"{request.job_file}: environment",
            "the folder or file of an environment cannot be overridden",
            "Write another job file with its own `azureml_job` target.",
        )


def _folders(request: JobRequest) -> tuple[str, ...]:
    """Return every folder that has a file of the job, from which the command may mean it."""
    files = (PurePosixPath(file.path) for unit in request.units for file in unit.files)
    return tuple(sorted({str(folder) for file in files for folder in file.parents[:-1]}))

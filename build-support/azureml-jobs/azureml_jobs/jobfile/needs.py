"""Find out what a job needs from the repository, from its job file alone."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_jobs.jobfile.command.read import entry_points
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.paths import leads_out


@dataclass(frozen=True)
class JobNeeds:
    """What a job needs; paths are relative to the repository's root.

    `build_context` is the folder of the Docker build context that the job's environment names,
    `conda_file` the file of conda packages that it names instead.
    """

    code_folder: str
    entry_points: tuple[EntryPoint, ...]
    build_context: str | None
    conda_file: str | None

    def environment_globs(self) -> tuple[str, ...]:
        """Return globs of the files that make up the environment, without BUILD files."""
        if self.build_context is not None:
            context = self.build_context
            return (f"{context}/**", f"!{context}/**/BUILD", f"!{context}/**/BUILD.*")
        return (self.conda_file,) if self.conda_file is not None else ()


def read_job_needs(text: str, job_file: str) -> JobNeeds:
    """Return what the job file of this text needs.

    Raises `JobError` for a job file that cannot be read or whose command cannot be split.
    """
    return needs_of(read_job_file(text, job_file), job_file)


def needs_of(job: Mapping[str, Any], job_file: str) -> JobNeeds:
    """Return what a job needs that has been read already, for example after overrides."""
    command = job.get("command")
    points: tuple[EntryPoint, ...] = ()
    if isinstance(command, str):
        try:
            points = entry_points(command)
        except ValueError as error:
            raise JobError(f"{job_file}: command", str(error).rstrip(".")) from error
    environment = _mapping(job.get("environment"))
    build = _mapping(environment.get("build"))
    return JobNeeds(
        code_folder=code_folder(job_file, job.get("code")),
        entry_points=points,
        build_context=_inside(job_file, build.get("path"), "environment.build.path"),
        conda_file=_inside(job_file, environment.get("conda_file"), "environment.conda_file"),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _inside(job_file: str, path: Any, key: str) -> str | None:
    """Return a local path of the job file relative to the root; None for anything else."""
    if not isinstance(path, str) or "://" in path:
        return None
    found = posixpath.normpath(posixpath.join(posixpath.dirname(job_file), path))
    if found == "." or leads_out(found):
        raise JobError(
            f"{job_file}: {key}",
            f"{path!r} is not below the repository's root",
            "Write a path relative to the job file.",
        )
    return found


def code_folder(job_file: str, code: str | None) -> str:
    """Return the folder that `code:` of the job file names, relative to the repository's root.

    Without `code:` it is the job file's own folder. The root itself is the empty string. Raises
    `JobError` for a folder outside of the repository and for code that is not a local folder.
    """
    if code is not None and (not isinstance(code, str) or ":" in code):
        raise JobError(
            f"{job_file}: code",
            f"{code!r} is not a folder of this repository",
            "Write a path relative to the job file, such as `code: ..`.",
        )
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(job_file), code or "."))
    if leads_out(folder):
        raise JobError(
            f"{job_file}: code",
            f"{code!r} leads out of the repository",
            "Write a path relative to the job file, such as `code: ..`.",
        )
    return "" if folder == "." else folder

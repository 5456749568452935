"""What a job file needs from the repository, read off its text alone."""

from __future__ import annotations

import posixpath
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command import EntryPoint, entry_points
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.paths import code_folder, leads_out


@dataclass(frozen=True)
class JobNeeds:
    """Paths are relative to the repository's root.

    `build_context` is the folder of a Docker build context that the job's environment names,
    `conda_file` the file of conda packages that stands there instead.
    """

    code_folder: str
    entry_points: tuple[EntryPoint, ...]
    build_context: str | None
    conda_file: str | None

    def environment_globs(self) -> tuple[str, ...]:
        """Globs of the files that the environment is made of; BUILD files are Pants' own."""
        if self.build_context is not None:
            context = self.build_context
            return (f"{context}/**", f"!{context}/**/BUILD", f"!{context}/**/BUILD.*")
        return (self.conda_file,) if self.conda_file is not None else ()


def job_needs(text: str, job_file: str) -> JobNeeds:
    """Raises `JobError` for a job file that cannot be read or whose command cannot be split."""
    return needs_of(read_job_file(text, job_file), job_file)


def needs_of(job: Mapping[str, Any], job_file: str) -> JobNeeds:
    """The same for a job that has been read already, for example after overrides."""
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
    """A local path of the job file relative to the root; None for anything else."""
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


def declared_entry_point(value: str) -> EntryPoint:
    """The entry point that a target's field names: a file (`train.py`) or a module (`x.train`)."""
    is_file = value.endswith(".py") or "/" in value
    return EntryPoint("script" if is_file else "module", value)


def is_brought_by_python(point: EntryPoint) -> bool:
    """Whether Python itself brings the module, as in `python -m http.server`; pip counts, too."""
    if point.kind != "module":
        return False
    package = point.value.partition(".")[0]
    if package == "pip" or package in sys.builtin_module_names:
        return True
    folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    found = PathFinder.find_spec(package, [folder for folder in folders if folder])
    return found is not None and found.loader is not None


def candidate_paths(
    point: EntryPoint, folder: str, source_roots: tuple[str, ...]
) -> tuple[str, ...]:
    """Where the file of an entry point may stand, most likely first, relative to the root."""
    if point.kind == "module":
        stem = point.value.replace(".", "/")
        names: tuple[str, ...] = (f"{stem}.py", f"{stem}/__main__.py")
    else:
        # Python runs a folder by the `__main__.py` in it.
        names = (point.value, f"{point.value}/__main__.py")
    found: list[str] = []
    for base in (folder, *source_roots):
        for name in names:
            path = posixpath.normpath(posixpath.join(base, name))
            if not leads_out(path) and path not in found:
                found.append(path)
    return tuple(found)

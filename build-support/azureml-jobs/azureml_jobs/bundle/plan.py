"""A job made ready: read, overridden, checked and laid out, before anything is written."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.contents import Bundle, plan_bundle
from azureml_jobs.bundle.guard import Candidate, check_links, size_warning
from azureml_jobs.bundle.secret_guard import check_secrets
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.needs import JobNeeds, needs_of
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest


@dataclass(frozen=True)
class JobPlan:
    """`job` is the job file with all overrides; its paths are still those of the job file."""

    request: JobRequest
    job: Mapping[str, Any]
    bundle: Bundle
    warnings: tuple[str, ...]

    @property
    def job_folder(self) -> str:
        """The folder of the job file, relative to the repository's root."""
        return posixpath.dirname(self.request.job_file)

    @property
    def experiment_name(self) -> str:
        """As Azure ML, which takes the folder's name for a job file that names none."""
        named = self.job.get("experiment_name") or posixpath.basename(self.job_folder)
        # The repository's root has no name that would be the same in every clone.
        return str(named or "Default")


def plan_job(request_file: Path, repository: Path, settings: Sequence[str] = ()) -> JobPlan:
    """Read what Pants gathered and check everything that can be checked without a workspace.

    `settings` are overrides, `key.path=value`. Raises `JobError` with the user's mistake.
    """
    from azureml_jobs.jobfile.expressions import check_references
    from azureml_jobs.jobfile.overrides import apply_overrides
    from azureml_jobs.jobfile.placeholders import check_placeholders
    from azureml_jobs.jobfile.schema.check import check_schema

    request = JobRequest.read(request_file)
    if request.errors:
        raise PluginErrors(request.errors)
    folder = request_file.parent
    path = request.job_file
    text = (folder / SOURCES_FOLDER / path).read_text(encoding="utf-8")
    written = read_job_file(text, path)
    check_schema(written, path)
    job: dict[str, Any] = written
    if settings:
        job = apply_overrides(written, settings, path)
        # A whole mapping or list may have been given.
        check_schema(job, path)
    check_placeholders(job, path)
    check_references(job, path)
    needs = needs_of(job, path)
    if settings:
        _check_overridden_needs(request, needs_of(written, path), needs)
    bundle = plan_bundle(request, job, needs, folder)
    _check_code_in_place(bundle, needs)
    candidates = [
        Candidate(file.source, file.content, file.size, file.sha256)
        for file in (*bundle.code, *bundle.environment)
        # Package names and digests are generated.
        if file.source != request.packages.lock
    ]
    check_links(repository, [candidate.path for candidate in candidates], request.address)
    check_secrets(candidates, request.address)
    warning = size_warning(candidates)
    return JobPlan(request, job, bundle, (warning,) if warning else ())


class PluginErrors(JobError):
    """Mistakes that were met before the job tool started, told as they were."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("", "")
        self._text = "\n\n".join(errors)

    def __str__(self) -> str:
        return self._text


def _check_code_in_place(bundle: Bundle, needs: JobNeeds) -> None:
    """Refuse a command that names code by another path than the one that it has in the snapshot."""
    name_of = {file.source: file.path for file in bundle.code}
    roots = _source_roots(bundle.request)
    for point in needs.entry_points:
        sources = point.candidate_paths(needs.code_folder, roots)
        name = next((name_of[source] for source in sources if source in name_of), None)
        if point.kind == "file" or name is None:
            continue
        wanted = point.candidate_paths("")
        if point.kind == "script":
            is_in_place, shown = bool(set(wanted).intersection(name_of.values())), name
        else:
            # A `cd` before, or a PYTHONPATH, may make it a module of any folder.
            endings = tuple(f"/{path}" for path in wanted)
            is_in_place = any(f"/{path}".endswith(endings) for path in name_of.values())
            shown = name[: -len(".py")].replace("/", ".")
        if not is_in_place:
            raise JobError(
                f"{bundle.request.job_file}: command",
                f"the command runs {point.value}, which is {name} in the snapshot",
                f"Write `{shown}` in the command, or let `code:` name another folder: files in it "
                "keep their path below it.",
            )


def _source_roots(request: JobRequest) -> tuple[str, ...]:
    return tuple(sorted({file.source_root for file in request.files if file.source_root}))


def _check_overridden_needs(request: JobRequest, written: JobNeeds, needs: JobNeeds) -> None:
    """Refuse overrides after which the job would need files that were not gathered."""
    held = {file.path for file in request.files}
    roots = _source_roots(request)
    for point in needs.entry_points:
        if point in written.entry_points or point.kind == "file" or point.is_part_of_python:
            continue
        if not held.intersection(point.candidate_paths(needs.code_folder, roots)):
            raise JobError(
                f"{request.job_file}: command",
                f"the overridden command runs {point.value}, which is not in the snapshot",
                "A snapshot is made for the command in the job file. Write another job file with "
                "an `azureml_job` target of its own,\n"
                f'or name it in the target: `azureml_job(…, entry_point="{point.value}")`.',
            )
    if (needs.build_context, needs.conda_file) != (written.build_context, written.conda_file):
        raise JobError(
            f"{request.job_file}: environment",
            "the folder or file of an environment cannot be overridden",
            "Write another job file with an `azureml_job` target of its own.",
        )

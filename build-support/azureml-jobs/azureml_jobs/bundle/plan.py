"""Plan a job: read, override, check and lay out, before anything is written."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.contents import Bundle, plan_bundle
from azureml_jobs.bundle.files import context_warnings, size_warnings
from azureml_jobs.bundle.guard import guard_bundle, guard_documents
from azureml_jobs.bundle.override_checks import check_overridden_units
from azureml_jobs.bundle.suspicions import Allowed
from azureml_jobs.jobfile.document import read_job_file, repeated_keys
from azureml_jobs.jobfile.documents import is_flow, referred_documents
from azureml_jobs.jobfile.findings import Finding, raise_findings
from azureml_jobs.jobfile.limits import limit_findings
from azureml_jobs.jobfile.schema.kind import kind_of, kinds_of_documents
from azureml_jobs.jobfile.units import code_units, ordered_documents
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest


@dataclass(frozen=True)
class JobPlan:
    """A job that has passed all checks.

    `job` is the job file with all `overrides`; its paths are still those of the job file. `allow`
    is what the guard was told to let pass, and `allowed` what it did let pass.
    """

    request: JobRequest
    job: Mapping[str, Any]
    bundle: Bundle
    warnings: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    allowed: tuple[Allowed, ...] = ()

    @property
    def kind(self) -> str:
        """What the job file is, such as `pipeline job`."""
        return kind_of(self.job) or "file of an unknown kind"

    @property
    def is_command(self) -> bool:
        """Whether it is a job of one command, which can be run and submitted."""
        return self.kind == "command job"

    @property
    def is_component(self) -> bool:
        return self.kind.endswith(" component")

    @property
    def experiment_name(self) -> str:
        """As in Azure ML, which uses the folder's name when the job file has none."""
        folder = posixpath.dirname(self.request.job_file)
        name = self.job.get("experiment_name") or posixpath.basename(folder)
        # The name of the repository's root differs among clones.
        return str(name or "Default")


def plan_job(
    request_file: Path,
    repository: Path,
    settings: Sequence[str] = (),
    is_sent: bool = True,
    allow: Sequence[str] = (),
) -> JobPlan:
    """Read what Pants gathered and check everything that can be checked without a workspace.

    `settings` are overrides, `key.path=value`. `is_sent` is False for a bundle that its user may
    still edit: values that a template leaves to the user are warnings then. `allow` are paths that
    the guard lets pass. Raises `JobError` for an error of the user.
    """
    from azureml_jobs.jobfile.overrides import apply_overrides
    from azureml_jobs.jobfile.schema.check import check_schema

    request = JobRequest.read(request_file)
    request.raise_errors()
    folder, path = request_file.parent, request.job_file
    allow = (*request.allow, *allow)
    allowed = guard_documents(request, settings, allow, folder)
    original = read_document(path, folder)
    # What is read below relies on types that the schema checks.
    check_schema(original, path)
    job = original
    if settings:
        job = apply_overrides(original, settings, path)
    documents = read_documents(request, job, folder)
    warnings = [*request.warnings, *check_documents(documents, path, folder, is_sent)]
    units = code_units(documents, path)
    if settings:
        before = code_units(read_documents(request, original, folder), path)
        warnings += check_overridden_units(request, before, units, repository)
    bundle = plan_bundle(request, documents, units, folder)
    allowed = (*allowed, *guard_bundle(bundle, repository, allow))
    warnings += _size_warnings(bundle)
    plan = JobPlan(
        request,
        job,
        bundle,
        tuple(warnings),
        overrides=tuple(settings),
        allow=allow,
        allowed=tuple(sorted(set(allowed))),
    )
    if plan.kind.endswith(" job"):
        job = {**job, "experiment_name": plan.experiment_name}
    doubts = [
        doubt.as_warning(name)
        for name, document in {**bundle.documents, path: job}.items()
        for doubt in _doubts(name, limit_findings(document), is_sent)
    ]
    return replace(plan, warnings=(*plan.warnings, *doubts))


def _size_warnings(bundle: Bundle) -> list[str]:
    return [
        f"{unit.unit.name}: {warning}" if unit.unit.name else warning
        for unit in bundle.units
        for warning in (*size_warnings(unit.code), *context_warnings(unit.environment))
    ]


def read_document(path: str, folder: Path) -> dict[str, Any]:
    """Return the document that was gathered in the folder of a request."""
    return read_job_file(_text(path, folder), path)


def read_documents(
    request: JobRequest, job: Mapping[str, Any], folder: Path
) -> dict[str, Mapping[str, Any]]:
    """Return the job and all documents that it still refers to, as far as they were gathered."""
    documents: dict[str, Mapping[str, Any]] = {request.job_file: job}
    waiting = [request.job_file]
    while waiting:
        path = waiting.pop()
        for name in referred_documents(documents[path], path):
            if name not in documents and name in request.documents:
                documents[name] = read_document(name, folder)
                waiting.append(name)
    return documents


def check_documents(
    documents: Mapping[str, Mapping[str, Any]], job_file: str, folder: Path, is_sent: bool
) -> list[str]:
    """Raise `JobError` for errors in the documents, and return warnings.

    Placeholders are errors in what `is_sent`.
    """
    from azureml_jobs.jobfile.expressions import reference_findings, step_reference_findings
    from azureml_jobs.jobfile.pipeline.checks import pipeline_doubts
    from azureml_jobs.jobfile.pipeline.read import read_pipeline
    from azureml_jobs.jobfile.placeholders import placeholder_findings
    from azureml_jobs.jobfile.schema.check import check_schema
    from azureml_jobs.jobfile.sweep.check import sweep_doubts

    check_schema(documents[job_file], job_file)
    for path, kind in kinds_of_documents(documents, job_file):
        check_schema(documents[path], path, kind)
    warnings = []
    for path in ordered_documents(documents, job_file):
        document, doubts = documents[path], list[Finding]()
        repeated = repeated_keys(_text(path, folder))
        if not is_flow(document):
            doubts += _doubts(path, placeholder_findings(document), is_sent)
            raise_findings(path, reference_findings(document))
            doubts += [*step_reference_findings(document), *sweep_doubts(document)]
        doubts += [repeated] if repeated else []
        warnings += [doubt.as_warning(path) for doubt in doubts]
    if kind_of(documents[job_file]) == "pipeline job":
        found = pipeline_doubts(read_pipeline(documents, job_file))
        warnings += [doubt.as_warning(path) for path, doubt in found]
    return warnings


def _doubts(path: str, findings: list[Finding], is_sent: bool) -> list[Finding]:
    """Raise findings in what is sent; return them of what its user may still edit."""
    if is_sent:
        raise_findings(path, findings)
    return findings


def _text(path: str, folder: Path) -> str:
    return (folder / SOURCES_FOLDER / path).read_text(encoding="utf-8")

"""Lint job files: report everything that is wrong with a job, without its data or a workspace."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.document import read_job_file, repeated_keys
from azureml_jobs.jobfile.documents import Documents, referred_documents
from azureml_jobs.jobfile.expressions import (
    reference_findings,
    step_reference_findings,
    unused_inputs,
)
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.limits import limit_findings
from azureml_jobs.jobfile.pipeline.checks import pipeline_doubts
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.jobfile.placeholders import placeholder_findings
from azureml_jobs.jobfile.schema.check import schema_findings
from azureml_jobs.jobfile.schema.kind import kinds_of_documents, known_kind_of
from azureml_jobs.jobfile.sweep.check import sweep_doubts
from azureml_jobs.protocol import JobToLint, LintRequest


def lint_jobs(request: LintRequest, folder: Path) -> tuple[str, ...]:
    """Return one message for each finding, without repetitions.

    `folder` has the files of the request. Local data of inputs is not checked: it may be kept out
    of git, and then a build server has none.
    """
    findings: dict[str, None] = {}
    for job in request.jobs:
        findings.update(dict.fromkeys(job.errors))
        findings.update(dict.fromkeys(str(error) for error in _errors(job, folder)))
    return tuple(findings)


def findings_text(findings: Sequence[str]) -> str:
    """Return each finding as a line that names file and key, with what to do below."""
    text = ""
    for finding in findings:
        line, _, remedy = finding.partition("\n\n")
        text += f"{line}\n{textwrap.indent(remedy, '  ')}".rstrip() + "\n"
    return text


def _errors(job: JobToLint, folder: Path) -> list[JobError]:
    root = job.job_file
    try:
        documents = _documents(root, folder)
        kinds = [(root, known_kind_of(documents[root], root)), *kinds_of_documents(documents, root)]
        scripts = [(folder / each).read_text("utf-8", "replace") for each in job.scripts]
        unused = unused_inputs(documents[root], scripts)
    except (FileNotFoundError, UnicodeDecodeError):
        # Pants met this, too, and it is among `errors`.
        return []
    except JobError as error:
        return [error]
    found = [
        finding.as_error(path)
        for path, kind in kinds
        for finding in _findings(folder, documents[path], path, kind)
    ]
    if not found and kinds[0][1] == "pipeline job":
        # Its steps can only be read where each document is right.
        found = _pipeline_errors(documents, root)
    return [*found, *(finding.as_error(root) for finding in unused)]


def _pipeline_errors(documents: Documents, root: str) -> list[JobError]:
    try:
        pipeline = read_pipeline(documents, root)
    except JobError as error:
        return [error]
    return [doubt.as_error(path) for path, doubt in pipeline_doubts(pipeline)]


def _documents(job_file: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the job file and all files that it refers to, as far as they exist."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [job_file]
    while waiting:
        path = waiting.pop()
        found[path] = read_job_file((folder / path).read_text("utf-8"), path)
        referred = referred_documents(found[path], path)
        waiting += (each for each in referred if each not in found and (folder / each).is_file())
    return found


def _findings(folder: Path, document: Mapping[str, Any], path: str, kind: str) -> list[Finding]:
    found = [*schema_findings(document, path, kind), *placeholder_findings(document)]
    found += reference_findings(document)
    # A placeholder is no valid name, either.
    found = found or limit_findings(document)
    repeated = repeated_keys((folder / path).read_text("utf-8"))
    doubts = (*step_reference_findings(document), *sweep_doubts(document))
    return [*([repeated] if repeated else []), *found, *doubts]

"""Lint job files: report everything that is wrong with a job, without its data or a workspace."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.document import read_job_file, repeated_keys
from azureml_jobs.jobfile.expressions import (
    reference_findings,
    step_reference_findings,
    unused_inputs,
)
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.limits import limit_findings
from azureml_jobs.jobfile.placeholders import placeholder_findings
from azureml_jobs.jobfile.schema.check import schema_findings
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
    path = job.job_file
    try:
        text = (folder / path).read_text(encoding="utf-8")
        scripts = [_text_of(folder / script) for script in job.scripts]
    except (FileNotFoundError, UnicodeDecodeError):
        # Pants met this, too, and it is among `errors`.
        return []
    try:
        return [finding.as_error(path) for finding in _findings(text, path, scripts)]
    except JobError as error:
        return [error]


def _findings(text: str, path: str, scripts: Sequence[str]) -> list[Finding]:
    job = read_job_file(text, path)
    found = [*schema_findings(job, path), *placeholder_findings(job), *reference_findings(job)]
    # A placeholder is no valid name, either.
    found += limit_findings(job) if not found else []
    found += step_reference_findings(job)
    repeated = repeated_keys(text)
    return [*([repeated] if repeated else []), *found, *unused_inputs(job, scripts)]


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")

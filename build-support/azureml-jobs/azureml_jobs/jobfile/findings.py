"""Findings in a job file, gathered into one error, and the valid name nearest to a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError


@dataclass(frozen=True)
class Finding:
    """One finding: the dotted path of its key (empty for the whole file), what, what to do."""

    key_path: str
    what: str
    remedy: str = ""


def raise_findings(path: str, findings: Sequence[Finding]) -> None:
    """Raise one `JobError` for all of `findings`, or return when there are none."""
    if not findings:
        return
    if len(findings) == 1:
        raise as_error(path, findings[0])
    raise JobError(
        path,
        f"{len(findings)} errors in this job file",
        "\n".join(_line(finding) for finding in findings),
    )


def as_error(path: str, finding: Finding) -> JobError:
    return JobError(_where(path, finding.key_path), finding.what, finding.remedy)


def _where(path: str, key_path: str) -> str:
    return f"{path}: {key_path}" if key_path else path


def _line(finding: Finding) -> str:
    remedy = f" {' '.join(finding.remedy.split())}" if finding.remedy else ""
    return f"- {finding.key_path or 'the file'}: {finding.what}.{remedy}"

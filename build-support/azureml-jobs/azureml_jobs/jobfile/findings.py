"""Findings in a job file, and the one error that reports several of them."""

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

    def as_error(self, path: str) -> JobError:
        where = f"{path}: {self.key_path}" if self.key_path else path
        return JobError(where, self.what, self.remedy)

    def as_warning(self, path: str) -> str:
        error = self.as_error(path)
        return f"{error.where}: {error.what}. {' '.join(error.remedy.split())}".strip()


def raise_findings(path: str, findings: Sequence[Finding]) -> None:
    """Raise one `JobError` for all of `findings`, or return when there are none."""
    if not findings:
        return
    if len(findings) == 1:
        raise findings[0].as_error(path)
    raise JobError(
        path,
        f"{len(findings)} errors in this job file",
        "\n".join(_line(finding) for finding in findings),
    )


def _line(finding: Finding) -> str:
    remedy = f" {' '.join(finding.remedy.split())}" if finding.remedy else ""
    return f"- {finding.key_path or 'the file'}: {finding.what}.{remedy}"

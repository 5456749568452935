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
        return f"{self.as_error(path).where}: {self._sentences()}"

    def _sentences(self) -> str:
        return f"{self.what}. {' '.join(self.remedy.split())}".strip()


def raise_findings(path: str, findings: Sequence[Finding]) -> None:
    """Raise one `JobError` for all of `findings`, or return when there are none."""
    if len(findings) == 1:
        raise findings[0].as_error(path)
    if findings:
        lines = (f"- {each.key_path or 'the file'}: {each._sentences()}" for each in findings)
        raise JobError(path, f"{len(findings)} errors in this job file", "\n".join(lines))

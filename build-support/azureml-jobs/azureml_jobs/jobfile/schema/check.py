"""Check a job, component or schedule file against the schema of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_jobs.base.nearest import nearest
from azureml_jobs.jobfile.findings import Finding, raise_findings
from azureml_jobs.jobfile.schema.kind import known_kind_of
from azureml_jobs.jobfile.schema.messages import finding_of
from azureml_jobs.jobfile.schema.node import settable_keys
from azureml_jobs.jobfile.schema.validate import Problem, definitions, problems_of


def check_schema(document: Mapping[str, Any], path: str, kind: str | None = None) -> None:
    """Raise a `JobError` that lists all `schema_findings`."""
    raise_findings(path, schema_findings(document, path, kind))


def schema_findings(
    document: Mapping[str, Any], path: str, kind: str | None = None
) -> list[Finding]:
    """Return everything in the document that azure-ai-ml would refuse, too.

    `kind` is the kind of the document where the file that refers to it decides that. Raises
    `JobError` for a document of no known kind. What is refused although azure-ai-ml takes it is
    listed in parity_test.py.
    """
    kind = kind or known_kind_of(document, path)
    problems = problems_of(document, definitions()[kind])
    problems = [problem for problem in problems if not _is_misspelled(problem, problems)]
    problems.sort(key=lambda problem: _position(problem, document))
    return list(dict.fromkeys(finding_of(problem, kind) for problem in problems))


def _is_misspelled(problem: Problem, problems: list[Problem]) -> bool:
    """Return whether another problem is an unknown key that was meant for this missing one."""
    return problem.keyword == "required" and any(
        other.keyword == "unknown"
        and other.steps[:-1] == problem.steps[:-1]
        and nearest(other.value, settable_keys(other.schema)) == problem.steps[-1]
        for other in problems
    )


def _position(problem: Problem, value: Any) -> list[int]:
    """Return where the problem is in the order of the keys in the file."""
    found = []
    for step in problem.steps:
        if isinstance(value, Mapping) and step not in value:
            # A key that is missing.
            break
        found.append(list(value).index(step) if isinstance(value, Mapping) else step)
        value = value[step]
    return found

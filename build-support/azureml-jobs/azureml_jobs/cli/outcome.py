"""Compare the results of one job that ran twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_jobs.base.console import BOLD, GREEN, RED, coloured, table
from azureml_jobs.cli.job_tree import labelled
from azureml_jobs.cli.workspace_jobs import WorkspaceJobs


def outcome(jobs: WorkspaceJobs, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return status and metrics of a job and of those that it started, by what to print."""
    found = {"name": job["name"], "status": job["status"], **job["metrics"]}
    below = {label: row for label, row in labelled(job["children"]) if row["name"]}
    found |= {f"{label}: status": row["status"] for label, row in below.items()}
    # Pipelines and sweeps log nothing themselves.
    leaves = {row["name"]: label for label, row in below.items() if not row["children"]}
    for row in jobs.logged(list(leaves)):
        label = leaves[row["name"]]
        found |= {f"{label}: {name}": value for name, value in row["metrics"].items()}
    return found


def print_outcomes(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Print two outcomes next to each other; return whether they are the same."""
    names = [name for name in dict.fromkeys((*then, *now)) if name != "name"]
    different = [name for name in names if then.get(name) != now.get(name)]
    rows = [
        (name, _text(then.get(name)), _text(now.get(name)), "differs" if name in different else "")
        for name in names
    ]
    header, *lines = table(("", then["name"], now["name"], ""), rows)
    print("\n".join((coloured(header, BOLD), *lines)))
    if different:
        print(coloured(f"{len(different)} of {len(names)} differ.", RED))
    else:
        print(coloured(f"The same status and {len(names) - 1} more values.", GREEN))
    return not different


def _text(value: Any) -> str:
    return "-" if value is None else str(value)

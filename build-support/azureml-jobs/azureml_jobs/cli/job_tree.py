"""Print jobs with those that they started: the steps of pipelines, the trials of sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from azureml_jobs.base.console import (
    bold,
    duration_text,
    print_part,
    status_coloured,
    table,
    time_text,
    trial_table,
)
from azureml_jobs.base.jobs import Row, labelled

# More of a sweep's trials make a list of jobs hard to read.
_MOST_TRIALS = 5


def leaves(rows: Sequence[Row]) -> dict[str, str]:
    """Return the names of the commands below a job by their labels: only these log values."""
    return {
        label: row["name"] for label, row in labelled(rows) if row["name"] and not row["children"]
    }


def parameters_of(job: Row) -> dict[str, Any]:
    """Return what a sweep chose for a trial, and what its code logged."""
    return {**(job.get("parameters") or {}), **job["params"]}


def print_jobs(rows: Sequence[Row]) -> None:
    """Print a table of jobs, each with the jobs below it."""
    lines: list[tuple[str, Row | None]] = []
    for row in rows:
        lines += [(row["name"], row), *_tree(row, "  ")]
    cells = [_cells(name, row) for name, row in lines]
    _print_table(("name", "status", "experiment", "created", "duration"), cells, right=(4,))


def print_children(job: Row) -> None:
    """Print the jobs below one: a table of trials, or of steps with the names of their jobs."""
    if job.get("objective"):
        print()
        print_part(*trial_table(job["children"], job["objective"], job["best_trial"]))
    elif job["children"]:
        rows = [
            (
                (name, row["status"], duration_text(row["duration"]), _note(row) or row["name"])
                if row
                else (name, "", "", "")
            )
            for name, row in _tree(job, "")
        ]
        print()
        _print_table(("step", "status", "duration", "job"), rows, right=(2,))


def _print_table(
    header: Sequence[str], rows: Sequence[tuple[str, ...]], right: Sequence[int]
) -> None:
    """Print a table whose second column is a status."""
    first, *lines = table(header, rows, right)
    print(bold(first))
    start = first.index("status")
    for row, line in zip(rows, lines):
        print(
            f"{line[:start]}{status_coloured(row[1]) if row[1] else ''}{line[start + len(row[1]):]}"
        )


def _tree(job: Row, indent: str) -> Iterator[tuple[str, Row | None]]:
    """Yield the jobs below one by their indented names; None stands for trials left out."""
    children = job["children"] or ()
    shown = children[:_MOST_TRIALS] if job.get("objective") else children
    for row in shown:
        yield indent + row["step"], row
        yield from _tree(row, f"{indent}  ")
    if len(shown) < len(children):
        yield f"{indent}… {len(children) - len(shown)} more trials", None


def _cells(name: str, row: Row | None) -> tuple[str, ...]:
    if row is None:
        return name, "", "", "", ""
    status, duration = row["status"], duration_text(row["duration"])
    if name != row["name"]:
        return name, status, _note(row), "", duration
    return name, status, row["experiment_name"], time_text(row["created"]), duration


def _note(row: Row) -> str:
    return f"has outputs of {row['reused']}" if row["reused"] else ""

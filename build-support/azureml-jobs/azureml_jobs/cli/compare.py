"""Compare jobs: a row for each, with its parameters and metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from azureml_jobs.base.console import BOLD, coloured, duration_text, table
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.base.trial_table import value_texts

Row = dict[str, Any]


def compared(jobs: Sequence[Mapping[str, Any]], sort_by: str | None) -> list[Row]:
    """Return what tells jobs apart, each described as by `jobs show`.

    With `sort_by`, a metric, they are in the order of its last values, and those without it come
    last. Raises `JobError` for a metric that none of them has.
    """
    rows = [
        {
            "name": job["name"],
            "status": job["status"],
            "duration": job["duration"],
            # What a sweep chose for a trial, and what the code logged.
            "params": {**(job.get("parameters") or {}), **job["params"]},
            "metrics": job["metrics"],
        }
        for job in jobs
    ]
    if sort_by is not None:
        known = _names(rows, "metrics")
        if sort_by not in known:
            remedy = suggestion(sort_by, known, "None of them logged any.")
            raise JobError("--sort-by", f"none of these jobs has the metric `{sort_by}`", remedy)
        rows.sort(key=lambda row: _position(row["metrics"].get(sort_by)))
    return rows


def print_compared(rows: Sequence[Row]) -> None:
    params, metrics = _names(rows, "params"), _names(rows, "metrics")
    header = ("name", "status", *params, *metrics, "duration")
    cells = []
    for row in rows:
        of_params, of_metrics = value_texts(row["params"]), value_texts(row["metrics"])
        cells.append(
            (
                row["name"],
                row["status"],
                *(of_params.get(name, "") for name in params),
                *(of_metrics.get(name, "") for name in metrics),
                duration_text(row["duration"]),
            )
        )
    numbers = range(2 + len(params), len(header))
    first, *lines = table(header, cells, right=tuple(numbers))
    print("\n".join((coloured(first, BOLD), *lines)))


def _names(rows: Sequence[Row], key: str) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row[key]))


def _position(value: Any) -> float:
    """Return the place of a metric's value, which may be text such as `NaN`."""
    number = math.inf if value is None else float(value)
    return math.inf if math.isnan(number) else number

"""Compare jobs: a row for each, with its parameters and metrics, and the curves of a metric."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import (
    differing,
    duration_text,
    print_json,
    print_table,
    short_path,
    sparkline,
    value_texts,
)
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.jobs import JobSelection
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.cli.job_tree import leaves, parameters_of
from azureml_jobs.cli.jobs import Row, WorkspaceJobs

# Each is a request.
_MOST_JOBS = 100
_SCRIPT = Path(__file__).parents[1] / "ui" / "plot.py"
_MOST_VALUES = 3

Points = Sequence[Mapping[str, Any]]


def compare_jobs(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    rows = compared(jobs.logged(_names_to_compare(jobs, options)), options.sort_by)
    metric = options.plot
    if metric is not None:
        _check_metric("--plot", metric, rows)
    if options.json:
        print_json(rows)
    else:
        print_compared(rows)
    if metric is not None:
        names = [row["name"] for row in rows if metric in row["metrics"]]
        found = jobs.curves(names, [metric])
        curves = {name: found[name].get(metric, ()) for name in names}
        if not options.json:
            print_curves(rows, metric, curves)
        downloads = options.repository / LOCAL_FOLDER / "downloads"
        path = draw_curves(rows, metric, curves, downloads, options.plot_prefix)
        print(short_path(path), file=sys.stderr if options.json else sys.stdout)
    return 0


def _names_to_compare(jobs: WorkspaceJobs, options: argparse.Namespace) -> list[str]:
    names = list(options.names)
    if options.experiment:
        wanted = JobSelection(experiment=options.experiment, count=_MOST_JOBS)
        names += [row["name"] for row in jobs.list(wanted) if row["name"] not in names]
    elif len(names) == 1:
        names = list(leaves(jobs.children(names[0])).values())
    if len(names) < 2:
        raise JobError(
            options.experiment or next(iter(options.names), "jobs compare"),
            "there is nothing to compare it with",
            "Write the names of two jobs or more, that of a sweep or a pipeline, or "
            "`--experiment NAME`.",
        )
    return names


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
            "params": parameters_of(job),
            "metrics": job["metrics"],
        }
        for job in jobs
    ]
    if sort_by is not None:
        _check_metric("--sort-by", sort_by, rows)
        rows.sort(key=lambda row: _position(row["metrics"].get(sort_by)))
    return rows


def _check_metric(option: str, metric: str, rows: Sequence[Row]) -> None:
    known = _names(rows, "metrics")
    if metric not in known:
        remedy = suggestion(metric, known, "None of them logged any.")
        raise JobError(option, f"none of these jobs has the metric `{metric}`", remedy)


def print_compared(rows: Sequence[Row]) -> None:
    """Print a table; parameters that are the same in all jobs have a line for all of them."""
    texts = [value_texts(row["params"]) for row in rows]
    params, metrics = differing(texts), _names(rows, "metrics")
    header = ("name", "status", *params, *metrics, "duration")
    cells = [
        (
            row["name"],
            row["status"],
            *(text.get(name, "") for name in params),
            *(value_texts(row["metrics"]).get(name, "") for name in metrics),
            duration_text(row["duration"]),
        )
        for row, text in zip(rows, texts)
    ]
    print_table(header, cells, right=range(2 + len(params), len(header)))
    if same := [f"{name}={text}" for name, text in texts[0].items() if name not in params]:
        print(f"In all: {', '.join(same)}")


def _names(rows: Sequence[Row], key: str) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row[key]))


def _position(value: Any) -> float:
    """Return the place of a metric's value, which may be text such as `NaN`."""
    number = math.inf if value is None else float(value)
    return math.inf if math.isnan(number) else number


def print_curves(rows: Sequence[Row], metric: str, curves: Mapping[str, Points]) -> None:
    """Print a line for each job that logged the metric."""
    labels = job_labels(rows)
    cells = [
        (
            labels[row["name"]],
            sparkline([point["value"] for point in curves[row["name"]]]),
            value_texts(row["metrics"])[metric],
        )
        for row in rows
        if metric in row["metrics"]
    ]
    print()
    print_table((metric, "", ""), cells, right=(2,))


def draw_curves(
    rows: Sequence[Row], metric: str, curves: Mapping[str, Points], folder: Path, prefix: str | None
) -> Path:
    """Draw the curves into a PNG in `folder` and return its path.

    `prefix` is the environment that has matplotlib, by default this one. Raises `OutsideError`.
    """
    labels = job_labels(rows)
    path = folder / (re.sub(r"[^\w.-]+", "_", metric) + ".png")
    drawn = [points for points in curves.values() if points]
    has_steps = any(len({point["step"] for point in points}) > 1 for points in drawn)
    figure = {
        "metric": metric,
        "axis": "step" if has_steps else "seconds",
        "path": str(path),
        "curves": [
            {"label": labels[name], **_line(points, has_steps)} for name, points in curves.items()
        ],
    }
    try:
        make_folder(folder)
        done = subprocess.run(
            [os.path.join(prefix or sys.prefix, "bin", "python"), "-P", str(_SCRIPT)],
            input=json.dumps(figure),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    except OSError as error:
        raise OutsideError(str(path), f"the figure could not be drawn: {error}") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OutsideError(str(path), f"the figure could not be drawn: {reason}")
    return path


def job_labels(rows: Sequence[Row]) -> dict[str, str]:
    """Return what to call each job: its name, and the parameters in which the jobs differ."""
    texts = [value_texts(row["params"]) for row in rows]
    names = differing(texts)[:_MOST_VALUES]
    return {
        row["name"]: "  ".join(
            [row["name"], *(f"{name}={text[name]}" for name in names if name in text)]
        )
        for row, text in zip(rows, texts)
    }


def _line(points: Points, has_steps: bool) -> dict[str, list[float]]:
    """Return the coordinates of a curve; values may be text such as `NaN`."""
    start = min((point["timestamp"] for point in points), default=0)
    x = [point["step"] if has_steps else (point["timestamp"] - start) / 1000 for point in points]
    return {"x": x, "y": [float(point["value"]) for point in points]}

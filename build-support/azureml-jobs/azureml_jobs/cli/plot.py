"""Show how a metric went in several jobs: small in the terminal, and as a figure."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import BOLD, coloured, differing, sparkline, table, value_texts
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.cli.workspace_jobs import Row

_SCRIPT = Path(__file__).parents[1] / "ui" / "plot.py"
_MOST_VALUES = 3

Points = Sequence[Mapping[str, Any]]


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
    header, *lines = table((metric, "", ""), cells, right=(2,))
    print("\n".join((f"\n{coloured(header, BOLD)}", *lines)))


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
        folder.mkdir(parents=True, exist_ok=True)
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
            [
                row["name"],
                *(f"{name}={text[name]}" for name in names if name in text),
            ]
        )
        for row, text in zip(rows, texts)
    }


def _line(points: Points, has_steps: bool) -> dict[str, list[float]]:
    """Return the coordinates of a curve; values may be text such as `NaN`."""
    start = min((point["timestamp"] for point in points), default=0)
    x = [point["step"] if has_steps else (point["timestamp"] - start) / 1000 for point in points]
    return {"x": x, "y": [float(point["value"]) for point in points]}

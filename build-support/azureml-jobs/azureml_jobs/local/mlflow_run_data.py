"""Read what code logged to a run of MLflow, from the run's folder."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from azureml_jobs.local.folder import files_below

Point = tuple[int, int, float]


@dataclass
class RunData:
    """What code logged. A point of the history is (step, milliseconds since 1970, value)."""

    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[Point]] = field(default_factory=dict)

    @classmethod
    def read(cls, run: Path) -> RunData:
        """Read the folder of a run, which may still go on."""
        data = cls(dict(_texts(run / "params")), dict(_texts(run / "tags")))
        for key, text in _texts(run / "metrics"):
            points = points_of(text)
            if points:
                data.history[key] = points
                # As MLflow decides which value is the last one.
                data.metrics[key] = max(points, key=_order)[2]
        return data


def points_of(text: str) -> list[Point]:
    """Return the points in the file of a metric, in the order in which they were logged."""
    return [point for point in map(_point, text.splitlines()) if point]


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    # The path of a file is a key in MLflow.
    for key, path in files_below(folder):
        with contextlib.suppress(OSError):
            yield key, path.read_text(encoding="utf-8", errors="replace")


def _point(line: str) -> Point | None:
    """Parse `<time> <value> <step> [<data set> <digest>]`; None for a half-written line."""
    parts = line.split()
    try:
        return int(parts[2]) if len(parts) > 2 else 0, int(parts[0]), float(parts[1])
    except (IndexError, ValueError):
        return None


def _order(point: Point) -> tuple[int, int, float]:
    return point[0], point[1], -math.inf if math.isnan(point[2]) else point[2]

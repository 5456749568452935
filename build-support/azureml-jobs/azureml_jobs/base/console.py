"""Format text for a terminal: colours, sizes, durations, tables, curves."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from azureml_jobs.base import job_status

BOLD = "1"
RED = "31"
GREEN = "32"
YELLOW = "33"
_STATUS_COLOURS = {job_status.COMPLETED: GREEN, job_status.FAILED: RED, job_status.CANCELED: YELLOW}


def coloured(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return `text` in a colour, an ANSI code, if `stream` (by default standard output) has any.

    Only a terminal has colours; https://no-color.org is honoured.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{colour}m{text}\x1b[0m" if (stream or sys.stdout).isatty() else text


def bold(text: str) -> str:
    return coloured(text, BOLD)


def status_coloured(status: str) -> str:
    """Return the status of a job in its colour, for standard output."""
    return coloured(status, _STATUS_COLOURS.get(status, BOLD))


def print_warning(message: str) -> None:
    print(f"{coloured('warning', YELLOW, sys.stderr)}: {message}", file=sys.stderr)


def print_error(message: str) -> None:
    print(f"{coloured('error', RED, sys.stderr)}: {message}", file=sys.stderr)


def print_json(value: Any) -> None:
    # YAML has dates, which commands get as text.
    print(json.dumps(value, indent=2, ensure_ascii=not _has_all_letters(), default=str))


def _has_all_letters() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")


def size_text(size: int) -> str:
    """Return a number of bytes in a readable unit, such as `12.3 kB`."""
    if size < 1000:
        return f"{size} B"
    amount, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        # What would round to 1000.0 is 1.0 of the next unit.
        if amount < 999.95:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"


def duration_text(seconds: float | None) -> str:
    """Return a duration such as `4.2 s` or `1 h 02 min`, or a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def time_text(recorded: str) -> str:
    """Return a recorded time in the user's time zone, to the second; nothing for no time."""
    if not recorded:
        return ""
    return datetime.fromisoformat(recorded).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_path(path: str | Path) -> str:
    """Return the path relative to the working folder if it is inside."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(path)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> list[str]:
    """Return the lines of a table whose columns are as wide as their widest cell.

    `right` are the columns that are aligned to the right.
    """
    every = [header, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in every
    ]


def print_part(title: str, *lines: str) -> None:
    print("\n".join((bold(title), *lines)))


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    print_part(*table(header, rows, right))


def value_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a trial, short enough to be read next to each other."""
    return {
        name: f"{value:.6g}" if isinstance(value, float) else str(value)
        for name, value in values.items()
    }


def differing(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names whose texts are not the same in all rows."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if len({row.get(name) for row in rows}) > 1]


def trial_table(
    trials: Sequence[Mapping[str, Any]], objective: Mapping[str, Any], best: str
) -> list[str]:
    """Return the lines of a table; the trial named `best` has a mark.

    A trial has `name`, `status`, `metric`, `duration` and `parameters`, as rows of jobs have them.
    """
    names = list(dict.fromkeys(name for trial in trials for name in trial["parameters"]))
    rows = []
    for trial in trials:
        values = value_texts(trial["parameters"])
        rows.append(
            (
                f"{trial['name']}{' *' if trial['name'] == best else ''}",
                trial["status"],
                "-" if trial["metric"] is None else f"{trial['metric']:.6g}",
                *(values.get(name, "") for name in names),
                duration_text(trial["duration"]),
            )
        )
    header = ("trial", "status", str(objective["primary_metric"]), *names, "duration")
    return table(header, rows, right=(2, len(header) - 1))


_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 24


def sparkline(values: Sequence[Any]) -> str:
    """Return the curve of values, from left to right; a longer one is averaged to fit.

    Values that are not finite, which may be text such as `NaN`, leave a gap. Empty for fewer than
    two values, and where standard output has no such letters.
    """
    if len(values) < 2 or not _has_all_letters():
        return ""
    count = min(len(values), _WIDTH)
    bounds = [len(values) * each // count for each in range(count + 1)]
    means = [_mean(values[start:end]) for start, end in zip(bounds, bounds[1:])]
    finite = [mean for mean in means if mean is not None]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(" " if mean is None else _bar(mean, low, high) for mean in means)


def _mean(values: Sequence[Any]) -> float | None:
    finite = [number for number in map(float, values) if math.isfinite(number)]
    return sum(finite) / len(finite) if finite else None


def _bar(value: float, low: float, high: float) -> str:
    # Divided before it is subtracted: the difference of two large numbers may be infinite.
    scale = max(abs(low), abs(high)) or 1.0
    span = high / scale - low / scale
    share = (value / scale - low / scale) / span if span else 0.5
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]

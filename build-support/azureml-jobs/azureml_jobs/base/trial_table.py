"""The trials of a sweep as text: one each, and all in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azureml_jobs.base.console import duration_text, table


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

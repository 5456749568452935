"""A local job as data: `jobs list` and `jobs show`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from azureml_jobs.base.job_status import seconds_since
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_run_data import RunData
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record

# A row of the list; `duration` comes in addition.
_COLUMNS = (
    *("name", "display_name", "experiment_name", "status", "address", "runtime"),
    *("created", "started", "ended", "exit_code", "error"),
    *("kind", "parent", "step", "reused", "parameters", "objective", "best_trial"),
)
# Only the local workspace itself needs these.
_INTERNAL = (
    *("host", "pid", "pid_identity", "pgid", "pgid_identity", "format"),
    "unused_modules",
)


def summary(record: JobRecord) -> dict[str, Any]:
    """Return a row of the list of jobs."""
    return {key: getattr(record, key) for key in _COLUMNS} | {"duration": duration(record)}


def describe(folder: JobFolder) -> dict[str, Any]:
    """Return everything about one job as JSON data; a metric that is not a number is text."""
    record = current_record(folder)
    described = {key: value for key, value in asdict(record).items() if key not in _INTERNAL}
    # Values may be secrets.
    described["environment_variables"] = sorted(record.environment_variables)
    run = MlflowStore(folder.mlruns).read_run(record.name) or RunData("")
    described.update(
        duration=duration(record),
        folder=str(folder.path),
        log=str(folder.log),
        params=run.params,
        # Tags that code set during the run are newer than those of the job file.
        tags={**record.tags, **run.tags},
        metrics={key: _number(value) for key, value in run.metrics.items()},
        artifacts=[name for name, _ in artifacts(folder)],
    )
    return described


def curves(folder: JobFolder, metrics: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return all values of metrics in the order in which they were logged."""
    run = MlflowStore(folder.mlruns).read_run(folder.name) or RunData("")
    return {
        key: [
            {"step": step, "timestamp": timestamp, "value": _number(value)}
            for step, timestamp, value in run.history.get(key, ())
        ]
        for key in metrics
    }


def duration(record: JobRecord) -> float | None:
    """Return the seconds from the start to the end or, before that, to now."""
    if record.started is None:
        return None
    if record.ended is None:
        return round(seconds_since(record.started), 3)
    started, ended = map(datetime.fromisoformat, (record.started, record.ended))
    return round((ended - started).total_seconds(), 3)


def _number(value: float) -> float | str:
    """Return a number that JSON has, or else the text that MLflow's own services write."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value

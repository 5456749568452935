"""A local job as data for people and programs: `jobs list` and `jobs show`."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

from azureml_jobs.base.job_status import seconds_since
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore, RunData
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current

# What only the local workspace itself needs.
_INTERNAL = ("host", "pid", "pid_identity", "pgid", "pgid_identity", "format")


def summary(record: JobRecord) -> dict[str, Any]:
    """A row of the list of jobs."""
    return {
        "name": record.name,
        "display_name": record.display_name,
        "experiment_name": record.experiment_name,
        "status": record.status,
        "address": record.address,
        "runtime": record.runtime,
        "created": record.created,
        "started": record.started,
        "ended": record.ended,
        "duration": duration(record),
        "exit_code": record.exit_code,
        "error": record.error,
    }


def describe(folder: JobFolder) -> dict[str, Any]:
    """Everything about one job, fit for JSON: a metric that is no number is given as text."""
    record = current(folder)
    shown = {key: value for key, value in asdict(record).items() if key not in _INTERNAL}
    # Values may be secrets.
    shown["environment_variables"] = sorted(record.environment_variables)
    run = MlflowStore(folder.mlruns).read_run(record.name) or RunData("")
    shown.update(
        duration=duration(record),
        folder=str(folder.path),
        log=str(folder.log),
        params=run.params,
        # A tag that code set during the run is newer than the job file's.
        tags={**record.tags, **run.tags},
        metrics={key: _number(value) for key, value in run.metrics.items()},
        metric_history={
            key: [
                {"step": step, "timestamp": moment, "value": _number(value)}
                for step, moment, value in points
            ]
            for key, points in run.history.items()
        },
        artifacts=sorted(_artifact_names(folder)),
    )
    return shown


def duration(record: JobRecord) -> float | None:
    """Seconds from the start to the end or, before that, to now."""
    if record.started is None:
        return None
    if record.ended is None:
        return round(seconds_since(record.started), 3)
    begun = datetime.fromisoformat(record.started)
    return round((datetime.fromisoformat(record.ended) - begun).total_seconds(), 3)


def _artifact_names(folder: JobFolder) -> list[str]:
    return [name for name, _ in artifacts(folder)]


def _number(value: float) -> float | str:
    """JSON has no such numbers; the text is what MLflow's own services write."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value

"""A local job and those that it started as data: `jobs list` and `jobs show`."""

from __future__ import annotations

import contextlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import now
from azureml_jobs.base.typed_json import read_data
from azureml_jobs.jobfile.pipeline.model import Pipeline, Step
from azureml_jobs.jobfile.sweep.read import is_maximized
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.pipeline.inputs import pipeline_of
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.state import current_record, descendants

# A row of the list; `duration` and `children` come in addition.
_COLUMNS = (
    *("name", "display_name", "experiment_name", "status", "address", "runtime"),
    *("created", "started", "ended", "exit_code", "error"),
    *("kind", "parent", "step", "reused", "parameters", "objective", "best_trial"),
)
# Only the local workspace itself needs these.
_INTERNAL = (*("host", "pid", "pid_identity", "pgid", "pgid_identity", "format"), "unused_modules")


def top_rows(records: Sequence[JobRecord], archived: bool) -> list[dict[str, Any]]:
    """Return a row for each job that none of the others started, in their order."""
    names, rows = {record.name for record in records}, _Rows(records)
    return [
        rows.row(record)
        for record in records
        if record.parent not in names and (archived or not record.is_archived)
    ]


def child_rows(folder: JobFolder) -> list[dict[str, Any]]:
    """Return the rows of the jobs that a job started, and of the steps that it has not started.

    A trial has the value of its metric.
    """
    record = folder.read()
    rows = _Rows(descendants(folder).values(), folder)
    return rows.below(record, _pipeline(folder, record))


def describe(folder: JobFolder) -> dict[str, Any]:
    """Return everything about one job as JSON data; a metric that is not a number is text."""
    record = current_record(folder)
    described = {key: value for key, value in asdict(record).items() if key not in _INTERNAL}
    # Values may be secrets.
    described["environment_variables"] = sorted(record.environment_variables)
    run = MlflowStore(folder.mlruns).read_run(record.name)
    described.update(
        duration=_duration(record),
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
    run = MlflowStore(folder.mlruns).read_run(folder.name)
    return {
        key: [
            {"step": step, "timestamp": timestamp, "value": _number(value)}
            for step, timestamp, value in run.history.get(key, ())
        ]
        for key in metrics
    }


class _Rows:
    """Rows of jobs with those below them; next to the job `top` a trial has its metric."""

    def __init__(self, records: Iterable[JobRecord], top: JobFolder | None = None) -> None:
        self._top = top
        self._by_parent = defaultdict[str, list[JobRecord]](list)
        for record in sorted(records, key=lambda record: record.created):
            self._by_parent[record.parent].append(record)

    def row(self, record: JobRecord, pipeline: Pipeline | None = None) -> dict[str, Any]:
        known = {key: getattr(record, key) for key in _COLUMNS}
        return {**known, "duration": _duration(record), "children": self.below(record, pipeline)}

    def below(self, record: JobRecord, pipeline: Pipeline | None = None) -> list[dict[str, Any]]:
        children = self._by_parent[record.name]
        if pipeline is not None:
            started = {child.step: child for child in children}
            return [
                self.row(started.get(step.name) or _not_started(record, step), step.pipeline)
                for step in pipeline.steps
            ]
        rows = [self.row(child) for child in children]
        if record.objective and self._top is not None:
            store = MlflowStore(self._top.mlruns)
            best = max if is_maximized(record.objective) else min
            for row in rows:
                values = store.metric_values(row["name"], record.objective["primary_metric"])
                row["metric"] = best(filter(math.isfinite, values), default=None)
        return rows


def _not_started(parent: JobRecord, step: Step) -> JobRecord:
    return JobRecord(
        "",
        experiment_name=parent.experiment_name,
        kind=step.kind,
        parent=parent.name,
        step=step.name,
        created="",
    )


def _pipeline(folder: JobFolder, record: JobRecord) -> Pipeline | None:
    """Return the pipeline that the job runs, None for a job of another kind."""
    if record.kind != "pipeline":
        return None
    root = folder.top(record)
    # The rows of its jobs are there without it.
    with contextlib.suppress(OSError, ValueError, JobError):
        pipeline = pipeline_of(read_data(RunPlan, root.run_plan))
        if root.name == folder.name:
            return pipeline
        for names, step in pipeline.walk():
            if "_".join((root.name, *names)) == folder.name:
                return step.pipeline
    return None


def _duration(record: JobRecord) -> float | None:
    """Return the seconds from the start to the end or, before that, to now."""
    if record.started is None:
        return None
    started, ended = map(datetime.fromisoformat, (record.started, record.ended or now()))
    return round((ended - started).total_seconds(), 3)


def _number(value: float) -> float | str:
    """Return a number that JSON has, or else the text that MLflow's own services write."""
    # Python writes `NaN` and `-Infinity` as they do.
    return value if math.isfinite(value) else json.dumps(value)

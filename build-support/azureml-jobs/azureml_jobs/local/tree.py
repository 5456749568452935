"""A local job and those that it started, as the rows of `jobs list` and `jobs show`."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.pipeline.model import Pipeline, Step
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.local.children import descendants
from azureml_jobs.local.describe import summary
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.registry import LocalRegistry
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.sweep.metric import trial_metric


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
    rows = _Rows([*descendants(folder).values()], folder.path.parent)
    return rows.below(record, _pipeline(folder, record))


class _Rows:
    """Rows of jobs with those below them; with `jobs_folder` a trial has its metric."""

    def __init__(self, records: Iterable[JobRecord], jobs_folder: Path | None = None) -> None:
        self._jobs_folder = jobs_folder
        self._by_parent = defaultdict[str, list[JobRecord]](list)
        for record in sorted(records, key=lambda record: record.created):
            self._by_parent[record.parent].append(record)

    def row(self, record: JobRecord, pipeline: Pipeline | None = None) -> dict[str, Any]:
        return {**summary(record), "children": self.below(record, pipeline)}

    def below(self, record: JobRecord, pipeline: Pipeline | None = None) -> list[dict[str, Any]]:
        children = self._by_parent[record.name]
        if pipeline is not None:
            started = {child.step: child for child in children}
            return [
                (
                    self.row(started[step.name], step.pipeline)
                    if step.name in started
                    else _not_started(record, step)
                )
                for step in pipeline.steps
            ]
        rows = [self.row(child) for child in children]
        if record.objective and self._jobs_folder is not None:
            for row in rows:
                trial = JobFolder(self._jobs_folder / row["name"])
                row["metric"] = trial_metric(trial, record.objective)
        return rows


def _not_started(parent: JobRecord, step: Step) -> dict[str, Any]:
    """Return the row of a step that has no job yet, and so no name."""
    record = JobRecord(
        "",
        experiment_name=parent.experiment_name,
        kind=step.kind,
        parent=parent.name,
        step=step.name,
        created="",
    )
    return {**summary(record), "children": []}


def _pipeline(folder: JobFolder, record: JobRecord) -> Pipeline | None:
    """Return the pipeline that the job runs, None for a job of another kind."""
    if record.kind != "pipeline":
        return None
    root = JobFolder(folder.path.parent / (record.root or record.name))
    registry = LocalRegistry(folder.root)
    # The rows of its jobs are there without it.
    with contextlib.suppress(OSError, ValueError, JobError):
        plan = RunPlan.read(root)
        pipeline = read_pipeline(plan.documents, plan.job_file, registry.find_component)
        if root.name == folder.name:
            return pipeline
        for names, step in pipeline.walk():
            if "_".join((root.name, *names)) == folder.name:
                return step.pipeline
    return None

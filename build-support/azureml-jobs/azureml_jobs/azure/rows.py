"""Rows of jobs: what lists show of each, with its children."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from azureml_jobs.azure import run_history
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of_run
from azureml_jobs.base.job_status import COMPLETED, ENDED
from azureml_jobs.base.parallel import read_all
from azureml_jobs.jobfile.paths import unique_name

_PARENTS = ("automl", "pipeline", "sweep")


def row_of(job: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a job, without children."""
    known = job["properties"]
    properties = {**(known.get("properties") or {}), **(run.get("properties") or {})}
    kind = str(known.get("jobType") or "").lower()
    started, ended = (time_of(run.get(key)) for key in ("startTimeUtc", "endTimeUtc"))
    has_ended = known["status"] in ENDED
    duration = None
    if started is not None and (ended is not None or not has_ended):
        duration = round(((ended or datetime.now(timezone.utc)) - started).total_seconds(), 3)
    created = time_of((job.get("systemData") or {}).get("createdAt"))
    error = run_history.error_of(run) or None
    exit_code = 0 if known["status"] == COMPLETED else run_history.exit_status_in(error or "")
    return {
        "name": job["name"],
        "display_name": known.get("displayName") or "",
        "experiment_name": known.get("experimentName") or "",
        "status": known["status"],
        "address": properties.get("azureml_jobs.address", ""),
        "kind": kind,
        "parent": known.get("parent") or "",
        "step": "",
        "reused": reused_by(known),
        "children": [],
        # What a sweep chose for its trial.
        "parameters": _json_object((run.get("tags") or {}).get("hyperparameters")),
        "created": created.isoformat() if created else "",
        "started": started.isoformat() if started else None,
        "ended": ended.isoformat() if ended else None,
        "duration": duration,
        "exit_code": exit_code,
        "error": error,
        **(_search(properties) if kind == "sweep" else {}),
    }


def _search(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sweep looks for, and what it has found."""
    config = _json_object(properties.get("primary_metric_config"))
    return {
        "objective": {"goal": config.get("goal"), "primary_metric": config.get("name")},
        "best_trial": properties.get("best_child_run_id") or "",
    }


def _json_object(text: str | None) -> dict[str, Any]:
    """Return the object that a tag or a property holds; empty for what a user has written there."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def add_children(workspace: ConnectedWorkspace, rows: list[dict[str, Any]]) -> None:
    """Give every row its children, and theirs, which only run history knows."""
    parents = {row["name"]: row for row in rows if row["kind"] in _PARENTS}
    read_all(parents, lambda name: _add_children(workspace, parents[name]))


def _add_children(workspace: ConnectedWorkspace, row: dict[str, Any]) -> None:
    runs = sorted(
        run_history.children_of(workspace, row["name"]), key=lambda run: str(run["createdUtc"])
    )
    taken: set[str] = set()
    for run in runs:
        child = row_of(job_of_run(run, row["experiment_name"]), run)
        if row["kind"] != "pipeline":
            child["step"] = str(child["name"]).removeprefix(f"{row['name']}_")
            child["metric"] = None
        else:
            # It becomes the name of a folder, too.
            step = re.sub(r"^\.+$|[/\\]", "_", child["display_name"])
            child["step"] = unique_name(step, taken)
        if child["kind"] in _PARENTS:
            _add_children(workspace, child)
        row["children"].append(child)


def add_metrics(workspace: ConnectedWorkspace, sweep: Mapping[str, Any]) -> None:
    """Give every trial of a sweep the value of the metric that the sweep looks at."""
    metric = sweep.get("objective", {}).get("primary_metric")
    trials = {trial["name"]: trial for trial in sweep["children"] if metric}
    for name, logged in read_all(trials, partial(run_history.logged_by, workspace)).items():
        trials[name]["metric"] = logged["metrics"].get(metric)


def children_of(workspace: ConnectedWorkspace, job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the steps or trials of a job, with theirs."""
    row = row_of(job, {})
    add_children(workspace, [row])
    found: list[dict[str, Any]] = row["children"]
    return found


def reused_by(properties: Mapping[str, Any]) -> str:
    """Return the name of the job whose outputs a step has, instead of its own.

    `PipelineConstants` in azure-ai-ml has the names of these properties.
    """
    marks = properties.get("properties") or {}
    is_reused = str(marks.get("azureml.isreused")).lower() == "true"
    return str(marks.get("azureml.reusedrunid") or "") if is_reused else ""


def time_of(text: Any) -> datetime | None:
    """Return a time of the service; None for none, and for what is no time."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        # The rest of the job can be shown.
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

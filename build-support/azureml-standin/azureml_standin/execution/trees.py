"""Run pipelines and sweeps: one child after another, each a run of its own."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_standin.control_plane.job_outputs import output_address
from azureml_standin.execution.runs import RunView
from azureml_standin.execution.search import sweep_of, values_of
from azureml_standin.execution.steps import Body, Steps, trial_body


class Children(Protocol):
    """What runs children, one at a time, and keeps what is known of their parents."""

    def run_child(
        self, parent: str, name: str, step: str, body: Body, reuse_key: str | None = None
    ) -> RunView: ...

    def keep(self, name: str, **facts: Any) -> None: ...

    def kept(self, name: str, key: str) -> Mapping[str, Any]: ...

    def metric(self, name: str, key: str) -> list[float]: ...


def run_pipeline(
    runs: Children, name: str, properties: Mapping[str, Any], component: Callable[[str], Body]
) -> None:
    """Run the steps whose needs are met. Raises `JobError` when a step did not complete."""
    if properties.get("componentId"):
        properties = {**properties, "jobs": component(properties["componentId"])["jobs"]}
    steps = Steps(properties, component)
    goes_on = (properties.get("settings") or {}).get("continue_on_step_failure") is not False
    missed: dict[str, str] = {}
    for step in steps.in_order():
        if missed and not goes_on:
            break
        if blocking := steps.needs(step) & set(missed):
            missed[step] = f"step {step} needs {', '.join(sorted(blocking))}"
            continue
        # Azure ML gives such names as well: only run history knows whose child it is.
        child = str(uuid.uuid4())
        body = steps.body(step)
        view = runs.run_child(name, child, step, body, steps.reuse_key(step, body))
        steps.ended(step, child, body, runs.kept(child, "outputs"))
        if view.status != status.COMPLETED:
            missed[step] = f"step {step} {_ended(view)}"
        runs.keep(name, outputs=steps.parent_outputs())
    if missed:
        raise JobError(name, "; ".join(missed.values()))


def run_sweep(runs: Children, name: str, properties: Mapping[str, Any]) -> None:
    """Run the trials, and keep the best one. Raises `JobError` when none completed."""
    sweep = sweep_of(properties, name)
    goal = "maximize" if sweep.maximize else "minimize"
    config = json.dumps({"name": sweep.metric, "goal": goal})
    runs.keep(name, properties={"primary_metric_config": config})
    best_of = max if sweep.maximize else min
    view, completed, scores = RunView(status.NOT_STARTED), 0, {}
    for number, chosen in enumerate(itertools.islice(values_of(sweep), sweep.max_total_trials)):
        trial = f"{name}_{number}"
        body = {**trial_body(properties, chosen), "tags": {"hyperparameters": json.dumps(chosen)}}
        view = runs.run_child(name, trial, "", body)
        completed += view.status == status.COMPLETED
        if points := runs.metric(trial, sweep.metric):
            scores[trial] = best_of(points)
    if not completed:
        raise JobError(name, f"no trial of the sweep completed; the last one {_ended(view)}")
    if scores:
        best = best_of(scores, key=lambda trial: scores[trial])
        outputs = {
            key: output_address(best, key, given["jobOutputType"])
            for key, given in (properties.get("outputs") or {}).items()
        }
        found = {"best_child_run_id": best, "score": str(scores[best])}
        runs.keep(name, properties={"primary_metric_config": config, **found}, outputs=outputs)


def _ended(view: RunView) -> str:
    reason = (view.error or "").partition("\n")[0].rstrip(".")
    return f"ended as {view.status}" + (f": {reason}" if reason else "")

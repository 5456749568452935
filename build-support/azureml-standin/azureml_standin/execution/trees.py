"""Run pipelines and sweeps: one child after another, each a run of its own."""

from __future__ import annotations

import itertools
import json
import random
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.sweep.read import Sweep, read_sweep
from azureml_jobs.jobfile.sweep.space import ENDS, Value, grid, sample
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_standin.control_plane.resources import output_addresses, snake_keys
from azureml_standin.execution.runs import RunView
from azureml_standin.execution.steps import Steps, trial_body

if TYPE_CHECKING:
    from azureml_standin.execution.execution import Execution

_ARGUMENTS = {"choice": ("values",), "randint": ("upper",)}


def run_pipeline(runs: Execution, name: str, properties: Mapping[str, Any]) -> None:
    """Run the steps whose needs are met. Raises `JobError` when a step did not complete."""
    if properties.get("componentId"):
        properties = {**properties, "jobs": runs.component(properties["componentId"])["jobs"]}
    steps = Steps(properties, runs.component)
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


def run_sweep(runs: Execution, name: str, properties: Mapping[str, Any]) -> None:
    """Run the trials, and keep the best one. Raises `JobError` when none completed."""
    sweep = _sweep(properties, name)
    goal, best_of = ("maximize", max) if sweep.maximize else ("minimize", min)
    known = {"primary_metric_config": json.dumps({"name": sweep.metric, "goal": goal})}
    runs.keep(name, properties=known)
    store = MlflowStore(runs.folder(name).mlruns)
    view, completed, scores = RunView(status.NOT_STARTED), 0, {}
    for number, chosen in enumerate(itertools.islice(_values(sweep), sweep.max_total_trials)):
        trial = f"{name}_{number}"
        view = runs.run_child(name, trial, "", trial_body(properties, chosen))
        completed += view.status == status.COMPLETED
        if points := store.metric_values(trial, sweep.metric):
            scores[trial] = best_of(points)
    if not completed:
        raise JobError(name, f"no trial of the sweep completed; the last one {_ended(view)}")
    if scores:
        best = best_of(scores, key=lambda trial: scores[trial])
        known |= {"best_child_run_id": best, "score": str(scores[best])}
        runs.keep(name, properties=known, outputs=output_addresses(best, properties))


def _ended(view: RunView) -> str:
    reason = (view.error or "").partition("\n")[0].rstrip(".")
    return f"ended as {view.status}" + (f": {reason}" if reason else "")


def _sweep(properties: Mapping[str, Any], name: str) -> Sweep:
    """Return what a sweep job says about its trials."""
    given = snake_keys(properties)
    sampling, limits = given["sampling_algorithm"], snake_keys(given.get("limits") or {})
    if isinstance(sampling, dict):
        kind = sampling.get("samplingAlgorithmType") or sampling["type"]
        sampling = {"type": kind, "seed": sampling.get("seed")}
    node = {
        "search_space": {key: _distribution(each) for key, each in given["search_space"].items()},
        "sampling_algorithm": sampling,
        "objective": snake_keys(given["objective"]),
        "limits": {"max_total_trials": limits.get("max_total_trials")},
    }
    return read_sweep(node, name)


def _distribution(given: Any) -> Mapping[str, Any]:
    """Return a distribution as in a job file; a job has `["uniform", [0.1, 1]]`, a step this."""
    if isinstance(given, dict):
        return given
    kind, values = given
    ends = ("mu", "sigma", "q") if kind.endswith("normal") else ("min_value", "max_value", "q")
    return {"type": kind, **dict(zip(_ARGUMENTS.get(kind, ends), values))}


class _Draws(random.Random):
    def number(self, name: str) -> float:
        return self.uniform(*ENDS)

    def index(self, name: str, count: int) -> int:
        return self.randrange(count)


def _values(sweep: Sweep) -> Iterator[dict[str, Value]]:
    """Yield values for trials: all combinations for a grid, otherwise random ones without end.

    What Azure ML would choose does not matter to a client.
    """
    if sweep.algorithm == "grid":
        yield from grid(sweep.space)
        return
    draws = _Draws(sweep.seed)
    while True:
        yield sample(sweep.space, draws)

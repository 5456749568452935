"""Read what a sweep job, or the step of a pipeline that is a sweep, says about its trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.documents import mapping_of
from azureml_jobs.jobfile.sweep.space import ENDS, Choice, Distribution, Range, is_discrete

# https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep
DEFAULT_TRIALS = 1000
# What numpy, and with it optuna, takes.
SEEDS = range(2**32)
_POLICIES = ("bandit", "median_stopping", "truncation_selection")


@dataclass(frozen=True)
class EarlyTermination:
    """A policy: `type` is bandit, median_stopping or truncation_selection.

    It applies at every `interval`-th value of the metric that a trial logs, from `delay` values on.
    """

    type: str
    interval: int = 1
    delay: int = 0
    slack_factor: float = 0.0
    slack_amount: float = 0.0
    percentage: int = 0


@dataclass(frozen=True)
class Sweep:
    """`algorithm` is random, sobol, grid or bayesian; times are seconds, None for no limit."""

    space: Mapping[str, Distribution]
    metric: str
    maximize: bool
    algorithm: str = "random"
    seed: int | None = None
    max_total_trials: int = DEFAULT_TRIALS
    max_concurrent_trials: int = DEFAULT_TRIALS
    timeout: float | None = None
    trial_timeout: float | None = None
    early_termination: EarlyTermination | None = None


def read_sweep(node: Mapping[str, Any], where: str) -> Sweep:
    """Return the sweep of a node that has passed its schema and `sweep_findings`.

    Values are converted as azure-ai-ml does it, which reads `1e-3` as a number where it needs one.
    Raises `JobError` that names `where` for one that the inputs of a pipeline give it and that is
    none, and for distributions that have no values.
    """
    try:
        return _sweep(node)
    except ValueError as error:
        raise JobError(where, f"a value of the sweep is not valid: {error}") from None


def _sweep(node: Mapping[str, Any]) -> Sweep:
    sampling = node.get("sampling_algorithm") or "random"
    algorithm = sampling if isinstance(sampling, Mapping) else {"type": sampling}
    limits = mapping_of(node.get("limits"))
    objective = mapping_of(node.get("objective"))
    seed = None if algorithm.get("seed") is None else int(algorithm["seed"])
    if seed is not None and seed not in SEEDS:
        raise ValueError(f"the seed {seed} is not between 0 and {SEEDS[-1]}")
    total = _limit(limits, "max_total_trials", DEFAULT_TRIALS)
    space = _space(mapping_of(node.get("search_space")), _base(algorithm.get("logbase")))
    if _lower(algorithm, "type") == "grid" and not is_discrete(space):
        raise ValueError("a grid has choices only")
    return Sweep(
        space=space,
        metric=str(objective.get("primary_metric")),
        maximize=is_maximized(objective),
        algorithm="sobol" if _lower(algorithm, "rule") == "sobol" else _lower(algorithm, "type"),
        seed=seed,
        max_total_trials=total,
        max_concurrent_trials=_limit(limits, "max_concurrent_trials", total),
        timeout=float(limits.get("timeout") or 0) or None,
        trial_timeout=float(limits.get("trial_timeout") or 0) or None,
        early_termination=_early_termination(mapping_of(node.get("early_termination"))),
    )


def _limit(limits: Mapping[str, Any], key: str, default: int) -> int:
    count = int(limits.get(key) or default)
    if not 1 <= count <= DEFAULT_TRIALS:
        raise ValueError(f"`{key}` is {count}, not between 1 and {DEFAULT_TRIALS}")
    return count


def is_maximized(objective: Mapping[str, Any]) -> bool:
    """Return whether more of the primary metric is better."""
    return _lower(objective, "goal") == "maximize"


def _space(space: Mapping[str, Any], base: float) -> dict[str, Any]:
    return {str(name): _distribution(each, base) for name, each in space.items()}


def _distribution(given: Any, base: float) -> Any:
    """Return the distribution, or the value itself of what is none."""
    if not isinstance(given, Mapping):
        return given
    kind = _lower(given, "type")
    if kind == "choice":
        values = given.get("values")
        if not values:
            raise ValueError("there is nothing to choose from")
        return Choice(
            tuple(_space(each, base) if isinstance(each, Mapping) else each for each in values)
        )
    if kind == "randint":
        return _checked(Range(kind, b=int(given["upper"])))
    ends = ("mu", "sigma") if kind.endswith("normal") else ("min_value", "max_value")
    low, high = (float(given[key]) for key in ends)
    return _checked(Range(kind, low, high, float(given["q"]) if "q" in given else None, base))


def _checked(given: Range) -> Range:
    try:
        for end in ENDS:
            given.at(end)
    except (ValueError, ArithmeticError):
        numbers = f"{given.a:g} and {given.b:g}" + ("" if given.q is None else f", q {given.q:g}")
        raise ValueError(f"`type: {given.type}` has no values with {numbers}") from None
    return given


def _base(logbase: Any) -> float:
    return math.e if logbase is None or str(logbase).lower() == "e" else float(logbase)


def _early_termination(given: Mapping[str, Any]) -> EarlyTermination | None:
    if not given:
        return None
    # `median_stopping` may also be written `MedianStopping`.
    kinds = {kind.replace("_", ""): kind for kind in _POLICIES}
    return EarlyTermination(
        kinds[_lower(given, "type").replace("_", "")],
        interval=int(given.get("evaluation_interval") or 0) or 1,
        delay=int(given.get("delay_evaluation") or 0),
        slack_factor=float(given.get("slack_factor") or 0),
        slack_amount=float(given.get("slack_amount") or 0),
        percentage=int(given.get("truncation_percentage") or 0),
    )


def _lower(mapping: Mapping[str, Any], key: str) -> str:
    return str(mapping.get(key)).lower()

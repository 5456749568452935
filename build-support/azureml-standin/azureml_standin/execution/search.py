"""Choose the values of a sweep's trials; what Azure ML would choose does not matter to a client."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azureml_jobs.jobfile.sweep.read import Sweep, read_sweep
from azureml_jobs.jobfile.sweep.space import ENDS, Value, grid, sample

_ARGUMENTS = {"choice": ("values",), "randint": ("upper",)}


def sweep_of(properties: Mapping[str, Any], name: str) -> Sweep:
    """Return what a sweep job says about its trials."""
    space, objective = properties["searchSpace"], properties["objective"]
    sampling = properties["samplingAlgorithm"]
    if isinstance(sampling, dict):
        kind = sampling.get("samplingAlgorithmType") or sampling["type"]
        sampling = {"type": kind, "seed": sampling.get("seed")}
    most = (properties.get("limits") or {}).get("maxTotalTrials")
    node = {
        "search_space": {key: _distribution(given) for key, given in space.items()},
        "sampling_algorithm": sampling,
        "objective": {"goal": objective["goal"], "primary_metric": objective["primaryMetric"]},
        "limits": {"max_total_trials": most},
    }
    return read_sweep(node, name)


def values_of(sweep: Sweep) -> Iterator[dict[str, Value]]:
    """Yield values for trials: all combinations for a grid, otherwise random ones without end."""
    if sweep.algorithm == "grid":
        yield from grid(sweep.space)
        return
    draws = _RandomDraws(sweep.seed)
    while True:
        yield sample(sweep.space, draws)


class _RandomDraws:
    def __init__(self, seed: int | None) -> None:
        self._generator = random.Random(seed)

    def number(self, name: str) -> float:
        return self._generator.uniform(*ENDS)

    def index(self, name: str, count: int) -> int:
        return self._generator.randrange(count)


def _distribution(given: Any) -> Mapping[str, Any]:
    """Return a distribution as in a job file; a job has `["uniform", [0.1, 1]]`, a step this."""
    if isinstance(given, dict):
        return given
    kind, values = given
    ends = ("mu", "sigma", "q") if kind.endswith("normal") else ("min_value", "max_value", "q")
    names: Sequence[str] = _ARGUMENTS.get(kind, ends)
    return {"type": kind, **dict(zip(names, values))}

"""Find what no sweep can run with, although azure-ai-ml sends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.documents import nodes_of
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.sweep.read import DEFAULT_TRIALS

# "Must be an integer between 1 and 1000."
_LIMITS = ("max_total_trials", "max_concurrent_trials")


def sweep_findings(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the service refuses of the sweeps in a document that its schema has passed.

    https://learn.microsoft.com/azure/machine-learning/how-to-tune-hyperparameters has the rules.
    """
    for node in nodes_of(document):
        if node.type == "sweep":
            yield from _limits(node.value, node.keys)
            yield from _space(node.value, (*node.keys, "search_space"))


def _limits(sweep: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Finding]:
    limits = sweep.get("limits")
    for key in _LIMITS:
        value = limits.get(key) if isinstance(limits, Mapping) else None
        # Azure ML replaces `${{…}}`.
        if isinstance(value, int) and not 1 <= value <= DEFAULT_TRIALS:
            yield Finding(
                ".".join((*keys, "limits", key)),
                f"{value} is not between 1 and {DEFAULT_TRIALS}",
                "Write a number between these.",
            )


def _space(sweep: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Finding]:
    algorithm, space = sweep.get("sampling_algorithm"), sweep.get("search_space")
    if isinstance(algorithm, Mapping):
        algorithm = algorithm.get("type")
    is_grid = str(algorithm).lower() == "grid"
    for name, given in space.items() if isinstance(space, Mapping) else ():
        kind = str(given.get("type")).lower() if isinstance(given, Mapping) else ""
        where = ".".join((*keys, str(name)))
        if kind == "choice":
            if not given.get("values"):
                yield Finding(where, "there is nothing to choose from", "Write `values: [1, 2]`.")
        elif is_grid and kind:
            yield Finding(
                where,
                f"a grid has choices only, and this is `type: {kind}`",
                "Write `type: choice` with `values:`, or `sampling_algorithm: random`.",
            )

"""Find what no sweep can run with, although azure-ai-ml sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.documents import mapping_of, nodes_of, value_at
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
    for key in _LIMITS:
        value = value_at(sweep, ("limits", key))
        # Azure ML replaces `${{…}}`.
        if isinstance(value, int) and not 1 <= value <= DEFAULT_TRIALS:
            what = f"{value} is not between 1 and {DEFAULT_TRIALS}"
            yield Finding(".".join((*keys, "limits", key)), what, "Write a number between these.")


def _space(sweep: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Finding]:
    is_grid = _algorithm(sweep) == "grid"
    for where, kind, given in _distributions(sweep, keys):
        name = where.rpartition(".")[2]
        # `validate_key_contains_allowed_characters` of azure-ai-ml.
        if not re.fullmatch(r"[a-zA-Z_]\w*", name, re.ASCII):
            what = f"`{name}` has more than letters, digits and underscores"
            valid = re.sub(r"[^A-Za-z0-9_]", "_", name)
            yield Finding(where, what, f"Write for example `{valid}`.")
        if kind == "choice":
            if not given.get("values"):
                yield Finding(where, "there is nothing to choose from", "Write `values: [1, 2]`.")
        elif is_grid:
            what = f"a grid has choices only, and this is `type: {kind}`"
            remedy = "Write `type: choice` with `values:`, or `sampling_algorithm: random`."
            yield Finding(where, what, remedy)


def sweep_doubts(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the service may refuse, although sweeps on this machine can have it."""
    for node in nodes_of(document):
        if node.type == "sweep" and _algorithm(node.value) == "bayesian":
            for where, kind, _ in _distributions(node.value, (*node.keys, "search_space")):
                if kind not in ("choice", "uniform", "quniform"):
                    what = f"Azure ML may refuse `type: {kind}` with Bayesian sampling"
                    remedy = "Its documentation has `choice`, `uniform` and `quniform`."
                    yield Finding(where, what, remedy)


def _algorithm(sweep: Mapping[str, Any]) -> str:
    given = sweep.get("sampling_algorithm")
    return str(given.get("type") if isinstance(given, Mapping) else given).lower()


def _distributions(
    sweep: Mapping[str, Any], keys: tuple[str, ...]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield where each distribution stands, its type, and the mapping itself."""
    for name, given in mapping_of(sweep.get("search_space")).items():
        if isinstance(given, Mapping):
            yield ".".join((*keys, str(name))), str(given.get("type")).lower(), given

"""Decide which trials end early.

The rules are those of
https://learn.microsoft.com/azure/machine-learning/how-to-tune-hyperparameters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import mean, median

from azureml_jobs.jobfile.sweep.read import EarlyTermination, Sweep

Histories = Mapping[int, Sequence[float]]


def scores(sweep: Sweep, values: Sequence[float]) -> list[float]:
    """Return the values of the metric so that more is better, and what is no number the worst."""
    sign = 1 if sweep.maximize else -1
    return [-math.inf if math.isnan(value) else sign * value for value in values]


def reason_to_end(
    sweep: Sweep, number: int, histories: Histories, ended: Collection[int] = (), seen: int = 0
) -> str | None:
    """Return why the trial `number` ends early, None if it may go on.

    `histories` has the `scores` of all trials, also of those that `ended`, in the order in which
    they were logged; the policy was applied to the first `seen` of this trial before.
    """
    policy = sweep.early_termination
    if policy is None:
        return None
    for count in range(max(seen + 1, policy.delay, 1), len(histories[number]) + 1):
        if count % policy.interval == 0:
            # Compare trials where they are equally far. One that ended earlier stays as it was.
            reached = {
                key: each[:count]
                for key, each in histories.items()
                if len(each) >= count or key in ended and each
            }
            reason = _RULES[policy.type](policy, sweep.maximize, max(reached[number]), reached)
            if reason:
                return f"{policy.type}: after {count} values {reason}"
    return None


def _bandit(policy: EarlyTermination, maximize: bool, own: float, reached: Histories) -> str | None:
    best = max(map(max, reached.values()))
    slack = policy.slack_amount
    if policy.slack_factor:
        # best / (1 + factor) of a metric to maximize, best * (1 + factor) of one to minimize.
        factor = policy.slack_factor
        slack = abs(best) * (factor / (1 + factor) if maximize else factor)
    if not math.isfinite(best) or own >= best - slack:
        return None
    return f"its best, {_shown(own, maximize)}, is too far from {_shown(best, maximize)}"


def _median_stopping(
    policy: EarlyTermination, maximize: bool, own: float, reached: Histories
) -> str | None:
    middle = median(map(mean, reached.values()))
    if own >= middle:
        return None
    shown = _shown(middle, maximize)
    return f"its best, {_shown(own, maximize)}, is worse than the median of all means, {shown}"


def _truncation_selection(
    policy: EarlyTermination, maximize: bool, own: float, reached: Histories
) -> str | None:
    not_better = sum(max(each) <= own for each in reached.values())
    # Of equal trials none is the worst.
    if not_better > len(reached) * policy.percentage // 100:
        return None
    return f"it is among the worst {policy.percentage} % of {len(reached)} trials"


_RULES = {
    "bandit": _bandit,
    "median_stopping": _median_stopping,
    "truncation_selection": _truncation_selection,
}


def _shown(score: float, maximize: bool) -> str:
    return f"{score if maximize else -score:.6g}"

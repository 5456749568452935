from __future__ import annotations

import math

import pytest
from azureml_jobs.jobfile.sweep.read import EarlyTermination, Sweep
from azureml_jobs.local.sweep.policies import reason_to_end, scores


def ended(
    policy: EarlyTermination,
    *histories: list[float],
    maximize: bool = True,
    seen: int = 0,
    others_ended: bool = False,
) -> str | None:
    """Return why the last of some trials is ended."""
    sweep = Sweep({}, "m", maximize, early_termination=policy)
    by_number = {number: scores(sweep, each) for number, each in enumerate(histories)}
    last = len(histories) - 1
    return reason_to_end(sweep, last, by_number, range(last) if others_ended else (), seen)


BANDIT = EarlyTermination("bandit", slack_factor=0.2)
AMOUNT = EarlyTermination("bandit", slack_amount=0.1)
MEDIAN = EarlyTermination("median_stopping")
WORST_FIFTH = EarlyTermination("truncation_selection", percentage=20)


@pytest.mark.parametrize(
    ("best", "value", "maximize", "ends"),
    [
        pytest.param(0.8, 0.66, True, True, id="the documentation's example: below 0.8 / 1.2"),
        pytest.param(0.8, 0.67, True, False, id="just above it"),
        pytest.param(0.8, 0.97, False, True, id="above 0.8 * 1.2 of a metric to minimize"),
        pytest.param(0.8, 0.95, False, False, id="just below it"),
        pytest.param(0.8, math.nan, True, True, id="not a number"),
        pytest.param(-2.0, -1.0, True, False, id="the best one, also below zero"),
        pytest.param(-0.5, -1.0, False, False, id="the same of a metric to minimize"),
    ],
)
def test_bandit_ends_what_is_too_far_from_the_best(
    best: float, value: float, maximize: bool, ends: bool
) -> None:
    assert bool(ended(BANDIT, [best], [value], maximize=maximize)) is ends


def test_trials_are_compared_where_they_are_equally_far() -> None:
    expected = "bandit: after 1 values its best, 0.69, is too far from 0.8"
    assert ended(AMOUNT, [0.8], [0.71]) is None and ended(AMOUNT, [0.8], [0.69]) == expected
    # The other one was no better after two values, and this one has its best behind it.
    assert ended(AMOUNT, [0.1, 0.5, 0.9], [0.5, 0.2]) is None
    assert ended(AMOUNT, [0.1, 0.5, 0.9], [0.5, 0.2, 0.2])
    # One that goes on may become worse or better, and one that has ended stays as good.
    assert ended(AMOUNT, [0.9], [0.5, 0.2], seen=1) is None
    assert ended(AMOUNT, [0.9], [0.5, 0.2], seen=1, others_ended=True)


@pytest.mark.parametrize(
    ("interval", "delay", "count"), [(1, 0, 1), (2, 0, 2), (1, 3, 3), (2, 3, 4), (3, 6, 6)]
)
def test_a_policy_applies_at_its_intervals_after_the_delay(
    interval: int, delay: int, count: int
) -> None:
    policy = EarlyTermination("bandit", interval, delay, slack_amount=0.1)
    assert ended(policy, [1.0] * 9, [0.0] * (count - 1)) is None
    assert f"after {count} values" in str(ended(policy, [1.0] * 9, [0.0] * count))
    assert ended(policy, [1.0] * 9, [0.0] * count, seen=count) is None


def test_other_policies_compare_with_the_median_of_means_and_with_the_worst_share() -> None:
    # The means are 1, 2 and this one's.
    assert ended(MEDIAN, [0.0, 2.0], [1.0, 3.0], [0.9, 0.9], seen=1)
    assert ended(MEDIAN, [0.0, 2.0], [1.0, 3.0], [0.0, 1.0], seen=1) is None
    assert ended(MEDIAN, [2.0], [3.0], [1.0], maximize=False) is None
    others = [[float(value)] for value in (2, 3, 4, 5)]
    assert ended(WORST_FIFTH, *others, [1.0])
    assert ended(WORST_FIFTH, *others, [2.5]) is None
    assert ended(WORST_FIFTH, *others[:3], [1.0]) is None
    assert ended(WORST_FIFTH, *[[1.0]] * 5) is None
    assert reason_to_end(Sweep({}, "m", True), 0, {0: [0.0], 1: [9.0]}) is None

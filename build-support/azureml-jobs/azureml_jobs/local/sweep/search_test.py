from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.jobfile.sweep.read import Sweep
from azureml_jobs.jobfile.sweep.space import Choice, Range
from azureml_jobs.local.sweep.search import Search

UNIT = Range("uniform", 0.0, 1.0)


def asked(count: int, **given: Any) -> list[Any]:
    search = Search(Sweep(metric="m", maximize=True, **given))
    return [search.ask() for _ in range(count)]


def test_a_grid_is_tried_in_order_and_ends() -> None:
    space = {"a": Choice((1, 2)), "b": Choice(("x", "y"))}
    assert asked(5, space=space, algorithm="grid") == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
        None,
    ]


@pytest.mark.parametrize("algorithm", ["random", "sobol", "bayesian"])
def test_nothing_is_tried_twice_and_everything_once(algorithm: str) -> None:
    space = {"a": Choice(tuple(range(5))), "b": Choice(("x", {"c": Choice((1, 2))}))}
    values = asked(16, space=space, algorithm=algorithm)
    assert values[15] is None
    assert len({str(each) for each in values[:15]}) == 15


@pytest.mark.parametrize("algorithm", ["random", "sobol", "bayesian"])
def test_a_seed_makes_samples_repeatable(algorithm: str) -> None:
    space = {"a": UNIT, "b": Choice((1, 2, 3))}
    first, again, other = (
        asked(6, space=space, algorithm=algorithm, seed=seed) for seed in (7, 7, 8)
    )
    assert first == again != other


def test_sobol_covers_the_space_more_evenly() -> None:
    values = asked(65, space={"a": UNIT}, algorithm="sobol", seed=1)
    # The first sample is random, and then each sixteenth of the space has as many.
    counts = [0] * 16
    for each in values[1:]:
        counts[int(each["a"] * 16)] += 1
    assert set(counts) == {4}


def test_the_bayesian_search_comes_closer_to_the_best() -> None:
    search = Search(Sweep({"a": UNIT}, "m", maximize=True, algorithm="bayesian", seed=1))
    distances = []
    for number in range(40):
        values: Any = search.ask()
        distances.append(abs(values["a"] - 0.7))
        search.tell(number, -distances[-1])
    assert sum(distances[30:]) < sum(distances[:10]) / 4

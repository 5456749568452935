"""Curves as text."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from azureml_jobs.base.console import sparkline


@pytest.mark.parametrize(
    ("values", "curve"),
    [
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█", id="each step"),
        pytest.param([3, -1, 3], "█▁█", id="below zero"),
        pytest.param([5.0, 5.0], "▅▅", id="flat"),
        pytest.param([1, "NaN", math.inf, 0], "█  ▁", id="gaps"),
        pytest.param(["NaN", "NaN"], "  ", id="nothing finite"),
        pytest.param([-1.7e308, 1.7e308], "▁█", id="larger than a difference"),
        pytest.param([1.0], "", id="no curve"),
        pytest.param([], "", id="nothing"),
        pytest.param(list(range(2400)), "▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███", id="long"),
    ],
)
def test_draws_a_curve_in_one_line(
    values: list[Any], curve: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    assert sparkline(values) == curve


def test_draws_nothing_where_there_are_no_such_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert sparkline([1, 2]) == ""

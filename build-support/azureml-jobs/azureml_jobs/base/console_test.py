from __future__ import annotations

import io
import math
from typing import Any

import pytest
from azureml_jobs.base.console import RED, coloured, duration_text, size_text, sparkline, table
from azureml_jobs.conftest import Terminal


@pytest.mark.parametrize(
    ("stream", "environment", "is_coloured"),
    [
        pytest.param(Terminal(), {}, True, id="a terminal"),
        pytest.param(io.StringIO(), {}, False, id="a file"),
        pytest.param(Terminal(), {"NO_COLOR": "1"}, False, id="turned off"),
        pytest.param(Terminal(), {"NO_COLOR": ""}, True, id="set to nothing"),
        pytest.param(Terminal(), {"TERM": "dumb"}, False, id="a terminal without colours"),
    ],
)
def test_colours_text_where_there_are_colours(
    monkeypatch: pytest.MonkeyPatch, stream: Any, environment: dict[str, str], is_coloured: bool
) -> None:
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    assert coloured("x", RED, stream) == ("\x1b[31mx\x1b[0m" if is_coloured else "x")


def test_sizes_and_durations_have_a_readable_unit() -> None:
    sizes = (0, 999, 1000, 12_345, 999_949, 999_950, 2_000_000_000, 5_000_000_000_000_000)
    assert [size_text(size) for size in sizes] == [
        *("0 B", "999 B", "1.0 kB", "12.3 kB", "999.9 kB", "1.0 MB", "2.0 GB", "5000.0 TB"),
    ]
    durations = (None, 0, 59.94, 59.96, 61.4, 3599.4, 3599.6, 7384, 90_000)
    assert [duration_text(seconds) for seconds in durations] == [
        *("-", "0.0 s", "59.9 s", "1 min 00 s", "1 min 01 s", "59 min 59 s", "1 h 00 min"),
        *("2 h 03 min", "25 h 00 min"),
    ]


def test_aligns_columns_to_the_widest_cell() -> None:
    rows = [("a", "12 B", "x"), ("longer", "3 B", "")]
    assert table(("name", "size", "why"), rows, right=(1,)) == [
        "name    size  why",
        "a       12 B  x",
        "longer   3 B",
    ]
    assert table(("name", "size"), []) == ["name  size"]


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
        pytest.param(list(range(2400)), "▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███", id="long"),
    ],
)
def test_draws_a_curve_in_one_line_where_there_are_such_letters(
    values: list[Any], curve: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for encoding, drawn in (("utf-8", curve), ("ascii", "")):
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding))
        assert sparkline(values) == drawn

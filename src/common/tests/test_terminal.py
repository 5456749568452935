"""Test how results look in a terminal."""

from common import terminal


def test_aligns_columns_to_the_right() -> None:
    shown = terminal.table(["epoch", "loss"], [(1, 0.5), (10, 12.25)])
    assert shown.splitlines() == ["epoch     loss", "    1   0.5000", "   10  12.2500"]

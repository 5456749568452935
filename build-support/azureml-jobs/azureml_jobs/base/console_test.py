from __future__ import annotations

import io

import pytest
from azureml_jobs.base.console import (
    RED,
    coloured,
    duration_text,
    has_colours,
    print_error,
    print_warning,
    size_text,
    table,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("plain_environment")
def test_colours_text_in_a_terminal_only() -> None:
    assert coloured("x", RED, Terminal()) == "\x1b[31mx\x1b[0m"
    assert coloured("x", RED, io.StringIO()) == "x"


@pytest.mark.usefixtures("plain_environment")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("NO_COLOR", "1", False, id="turned off"),
        pytest.param("NO_COLOR", "", True, id="set to nothing"),
        pytest.param("TERM", "dumb", False, id="a terminal without colours"),
    ],
)
def test_the_environment_turns_colours_off(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert has_colours(Terminal()) is expected


def test_prints_warnings_and_errors_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_warning("large")
    print_error("wrong.\n\nDo this.")
    assert capsys.readouterr() == ("", "warning: large\nerror: wrong.\n\nDo this.\n")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_500_000, "1.5 MB"),
        (2_000_000_000, "2.0 GB"),
        (3_400_000_000_000, "3.4 TB"),
        (5_000_000_000_000_000, "5000.0 TB"),
    ],
)
def test_sizes_have_a_readable_unit(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (4.24, "4.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (61.4, "1 min 01 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7384, "2 h 03 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_durations_have_a_readable_unit(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_aligns_columns_to_the_widest_cell() -> None:
    rows = [("a", "12 B", "x"), ("longer", "3 B", "")]
    assert table(("name", "size", "why"), rows, right=(1,)) == [
        "name    size  why",
        "a       12 B  x",
        "longer   3 B",
    ]


def test_a_table_may_have_no_rows() -> None:
    assert table(("name", "size"), []) == ["name  size"]

from __future__ import annotations

import pytest
from azureml_jobs.base.nearest import nearest, suggestion


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("comput", "compute", id="a letter is missing"),
        pytest.param("experimentName", "experiment_name", id="other spelling of words"),
        pytest.param("EXPERIMENT-NAME", "experiment_name", id="capitals and hyphens"),
        pytest.param("banana", None, id="no similar name"),
    ],
)
def test_finds_the_nearest_name(name: str, expected: str | None) -> None:
    assert nearest(name, ["command", "compute", "experiment_name"]) == expected


def test_suggests_the_nearest_name_first_and_then_the_others() -> None:
    assert suggestion("mp", ["mpi", "ray"]) == "Did you mean `mpi`? Also valid here: `ray`."
    assert suggestion("x", ["mpi", "ray"]) == "Valid here: `mpi`, `ray`."
    assert suggestion("x", [], if_none="There is none.") == "There is none."


def test_a_long_list_is_not_printed_next_to_a_near_name() -> None:
    names = [f"name_{letter}" for letter in "abcdefghij"]
    assert suggestion("namea", names) == "Did you mean `name_a`?"

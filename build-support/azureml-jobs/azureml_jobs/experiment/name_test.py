"""Which names are valid, and what to write instead of the others."""

from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.experiment.name import parse_name

TAKEN = {"numpy": "a.lock", "PIL": "a.lock", "tools": "lib/tools"}


@pytest.mark.parametrize(
    "name",
    ["x", "my_exp", "exp2", "team/x", "a/b/c_d", "team/json", "team/numpy", "team/src", "a" * 60],
)
def test_a_package_name_is_valid(name: str) -> None:
    assert parse_name(name, "src", TAKEN) == tuple(name.split("/"))


@pytest.mark.parametrize("name", [None, ""], ids=["not given", "empty"])
def test_a_missing_name_is_reported_with_how_to_write_one(name: str | None) -> None:
    with pytest.raises(JobError, match="--name=my_experiment") as caught:
        parse_name(name, "src", TAKEN)
    assert caught.value.status == 2


@pytest.mark.parametrize(
    "name, what, instead",
    [
        pytest.param("my-exp", "package name", "my_exp", id="hyphen"),
        pytest.param("MyExp", "package name", "my_exp", id="camel case"),
        pytest.param("my exp", "package name", "my_exp", id="space"),
        pytest.param("Größe", "package name", "grosse", id="letters beyond ASCII"),
        pytest.param("2x", "package name", "experiment_2x", id="digit first"),
        pytest.param("_x", "package name", "x", id="underscore first"),
        pytest.param("x__y", "package name", "x_y", id="two underscores"),
        pytest.param("team.x", "package name", "team/x", id="dotted"),
        pytest.param("x/", "package name", "x", id="slash last"),
        pytest.param("../../etc", "package name", "etc", id="above"),
        pytest.param("x\n", "package name", "x", id="line break"),
        pytest.param("東京", "package name", "my_experiment", id="nothing left"),
        pytest.param("src/x:job", "package name", "x_job", id="an address"),
        pytest.param("src", "relative to `src`", "src_experiment", id="the source root"),
        pytest.param("class", "keyword", "class_experiment", id="keyword"),
        pytest.param("type", "keyword", "type_experiment", id="soft keyword of later Pythons"),
        pytest.param("team/import", "keyword", "team/import_experiment", id="keyword below"),
        pytest.param("json", "standard library", "json_experiment", id="standard library"),
        pytest.param("numpy", "a.lock", "numpy_experiment", id="locked package"),
        pytest.param("pil", "a.lock", "pil_experiment", id="locked package in another case"),
        pytest.param("Numpy", "package name", "numpy_experiment", id="two errors"),
        pytest.param("tools", "lib/tools", "tools_experiment", id="module of another root"),
        pytest.param("azureml", "Azure", "azureml_experiment", id="namespace package"),
        pytest.param("a" * 61, "61 characters", "a" * 60, id="too long"),
        pytest.param(
            "a" * 59 + "_b", "61 characters", "a" * 59, id="too long behind an underscore"
        ),
    ],
)
def test_an_invalid_name_is_reported_with_a_valid_one(name: str, what: str, instead: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_name(name, "src", TAKEN)
    assert caught.value.status == 2
    assert what in caught.value.what
    assert f"`--name={instead}`" in caught.value.remedy
    parse_name(instead, "src", TAKEN)


def test_a_message_stays_on_its_line_and_printable() -> None:
    with pytest.raises(JobError) as caught:
        parse_name("x\x1b[31m\udcff\n", "src", TAKEN)
    assert caught.value.where == r"--name='x\x1b[31m\udcff\n'"

from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import instead_of, nearest
from azureml_jobs.jobfile.findings import Finding, raise_findings


def test_nothing_wrong_raises_nothing() -> None:
    raise_findings("job.yaml", [])


def test_a_single_mistake_names_its_key_first() -> None:
    with pytest.raises(JobError) as caught:
        raise_findings("job.yaml", [Finding("limits.timeout", "expects an integer", "Write 5.")])
    assert str(caught.value) == "job.yaml: limits.timeout: expects an integer.\n\nWrite 5."


def test_several_mistakes_get_a_line_each() -> None:
    with pytest.raises(JobError) as caught:
        raise_findings("job.yaml", [Finding("a", "is bad", "Do b."), Finding("", "is empty")])
    assert str(caught.value) == (
        "job.yaml: 2 errors in this job file.\n\n- a: is bad. Do b.\n- the file: is empty."
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("comput", "compute", id="a letter is missing"),
        pytest.param("experimentName", "experiment_name", id="other spelling of words"),
        pytest.param("EXPERIMENT-NAME", "experiment_name", id="capitals and hyphens"),
        pytest.param("banana", None, id="nothing alike"),
    ],
)
def test_finds_the_nearest_name(name: str, expected: str | None) -> None:
    assert nearest(name, ["command", "compute", "experiment_name"]) == expected


def test_says_the_nearest_name_first_and_then_the_others() -> None:
    assert (
        instead_of("mp", ["mpi", "ray"], none="") == "Did you mean `mpi`? Also valid here: `ray`."
    )
    assert instead_of("x", ["mpi", "ray"], none="") == "Valid here: `mpi`, `ray`."
    assert instead_of("x", [], none="There is none.") == "There is none."


def test_a_long_list_is_not_shown_beside_a_near_name() -> None:
    names = [f"name_{letter}" for letter in "abcdefghij"]
    assert instead_of("namea", names, none="") == "Did you mean `name_a`?"

from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.expressions import (
    Reference,
    check_references,
    reference_findings,
    references,
    render,
    step_reference_findings,
    unused_inputs,
)

COMPONENT = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json"
JOB: dict[str, Any] = {"inputs": {"epochs": 5, "data": {"path": "x"}}, "outputs": {"model": None}}


def test_finds_inputs_and_outputs_in_order() -> None:
    command = (
        "a ${{inputs.x}} '${{ outputs.y }}' ${{inputs.x.path}} $[[--z ${{inputs.z}}]] ${{x}} $X"
    )
    assert references(command) == (
        Reference("inputs", "x"),
        Reference("outputs", "y"),
        Reference("inputs", "x", attribute="path"),
        Reference("inputs", "z", is_optional=True),
    )


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("${{inputs.epochs}} ${{outputs.model}}/x.pkl", id="declared names"),
        pytest.param("$[[--x ${{inputs.unknown}}]]", id="an unknown input in an optional part"),
        pytest.param("${{name}}", id="something that Azure ML may know"),
        pytest.param("${X} $((1 + 2)) {{x}}", id="shell"),
    ],
)
def test_accepts(command: str) -> None:
    check_references({**JOB, "command": command}, "job.yaml")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        pytest.param("${{inputs.epoch}}", "Did you mean `epochs`?", id="a typo in an input"),
        pytest.param("${{outputs.modle}}", "Did you mean `model`?", id="a typo in an output"),
        pytest.param("${{inputs.model}}", "names no input of this job", id="an output as input"),
        pytest.param(
            "${{inputs.data.path}}", "Write `${{inputs.data}}`", id="the path of an input"
        ),
        pytest.param("${{input.data}}", "Did you mean `${{inputs.data}}`?", id="a typo in inputs"),
        pytest.param("${{Inputs.data}}", "Did you mean `${{inputs.data}}`?", id="a capital"),
        pytest.param(
            "${inputs.epochs}", "Write `${{inputs.epochs}}`.", id="one brace and a dollar"
        ),
        pytest.param("${{search_space.lr}}", "is for sweep jobs", id="an expression of sweeps"),
        pytest.param("${{parent.inputs.x}}", "is for pipeline jobs", id="one of pipelines"),
    ],
)
def test_refuses_what_would_not_be_replaced(command: str, says: str) -> None:
    with pytest.raises(JobError) as caught:
        check_references({**JOB, "command": command}, "job.yaml")
    assert str(caught.value).startswith("job.yaml: command: ")
    assert says in str(caught.value)


def test_reports_that_a_job_has_no_inputs_and_how_to_add_one() -> None:
    with pytest.raises(JobError) as caught:
        check_references({"command": "${{inputs.x}}"}, "job.yaml")
    assert "The job has no `inputs:`. Or add `x:` below `inputs:`." in str(caught.value)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param("a ${{inputs.x}} b", "a 1 b", id="an input"),
        pytest.param("a ${{ inputs.x }}", "a 1", id="blanks in the braces"),
        pytest.param("a ${{inputs.x.path}}", "a 1", id="the path of an input of a component"),
        pytest.param("'${{outputs.y}}/m'", "'/out/m'", id="an output in quotes"),
        pytest.param(
            "a $[[--x ${{inputs.x}}]] b", "a --x 1 b", id="an optional part that is given"
        ),
        pytest.param("a $[[--z ${{inputs.z}}]] b", "a  b", id="an optional part that is not"),
        pytest.param(
            "a ${{name}} ${X} $[x] [[ -f a ]]", "a ${{name}} ${X} $[x] [[ -f a ]]", id="else"
        ),
    ],
)
def test_renders(command: str, expected: str) -> None:
    assert render(command, {"x": "1"}, {"y": "/out"}) == expected


def test_a_value_is_inserted_unchanged() -> None:
    assert render("${{inputs.x}}", {"x": r"\1 ${{inputs.x}} $[[a]]"}, {}) == (
        r"\1 ${{inputs.x}} $[[a]]"
    )


def test_finds_inputs_in_one_brace_in_jobs_but_not_in_components() -> None:
    job = {**JOB, "command": "{inputs.epochs} {inputs.dta} {outputs.model}"}
    (finding,) = reference_findings(job)
    assert "Did you mean `data`?" in finding.remedy
    assert [each.key_path for each in unused_inputs(job)] == ["inputs.data"]
    assert reference_findings({**job, "type": "command", "name": "x", "$schema": COMPONENT}) == []


def test_renders_what_a_sweep_chose_and_nothing_else_of_its_space() -> None:
    command = "${{search_space.lr}} ${{ search_space.lr }} ${{search_space.none}}"
    assert render(command, {}, {}, search_space={"lr": "0.1"}) == "0.1 0.1 ${{search_space.none}}"


def test_refuses_to_render_a_name_without_a_value() -> None:
    with pytest.raises(JobError, match="there is no value for"):
        render("${{inputs.z}}", {}, {})


@pytest.mark.parametrize(
    ("command", "scripts", "unused"),
    [
        pytest.param("a ${{inputs.epochs}} ${{ inputs.data }}", (), [], id="both used"),
        pytest.param("a ${{inputs.epochs}}", (), ["inputs.data"], id="one unused"),
        pytest.param("a $[[${{inputs.epochs}}]] ${{inputs.data}}", (), [], id="an optional part"),
        pytest.param("a ${{outputs.data}}", (), ["inputs.epochs", "inputs.data"], id="an output"),
        pytest.param("a $AZURE_ML_INPUT_data", (), ["inputs.epochs"], id="a variable"),
        pytest.param("a", ("x", "$AZURE_ML_INPUT_data"), ["inputs.epochs"], id="one in a script"),
        pytest.param(None, (), [], id="no command"),
    ],
)
def test_finds_inputs_that_are_never_used(
    command: Any, scripts: tuple[str, ...], unused: list[str]
) -> None:
    job = {**JOB, "command": command}
    assert [finding.key_path for finding in unused_inputs(job, scripts)] == unused


@pytest.mark.parametrize("inputs", [None, [], "x"], ids=["none", "a list", "text"])
def test_leaves_inputs_of_another_shape_to_the_schema(inputs: Any) -> None:
    assert unused_inputs({"command": "a", "inputs": inputs}) == []


SWEEP = {
    "type": "sweep",
    "inputs": {"data": {"path": "a"}},
    "search_space": {"rate": {"type": "choice", "values": [1]}},
}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param("ls ${{inputs.data}} ${{search_space.rate}}", None, id="of the sweep"),
        pytest.param("ls ${{inputs.date}}", "names no input", id="no input of the sweep"),
        pytest.param("ls ${{search_space.rat}}", "names nothing in the search space", id="a slip"),
    ],
)
def test_a_trial_has_the_inputs_and_the_search_space_of_its_sweep(
    command: str, message: str | None
) -> None:
    found = reference_findings({**SWEEP, "trial": {"command": command}})
    assert [finding.key_path for finding in found] == (["trial.command"] if message else [])
    assert all(str(message) in finding.what for finding in found)


def test_a_doubt_about_the_command_of_a_step_is_no_error() -> None:
    job = {"type": "pipeline", "jobs": {"a": {"command": "ls ${{inputs.x}}"}}}
    assert reference_findings(job) == []
    (finding,) = step_reference_findings(job)
    assert finding.key_path == "jobs.a.command"

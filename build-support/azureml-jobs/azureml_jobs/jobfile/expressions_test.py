from __future__ import annotations

import subprocess
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.expressions import (
    Reference,
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


@cases(
    "command",
    {
        "declared names": "${{inputs.epochs}} ${{outputs.model}}/x.pkl",
        "an unknown input in an optional part": "$[[--x ${{inputs.unknown}}]]",
        "something that Azure ML may know": "${{name}}",
        "shell": "${X} $((1 + 2)) {{x}}",
    },
)
def test_accepts(command: str) -> None:
    assert reference_findings({**JOB, "command": command}) == []


@cases(
    "command, says",
    {
        "a typo in an input": ("${{inputs.epoch}}", "Did you mean `epochs`?"),
        "a typo in an output": ("${{outputs.modle}}", "Did you mean `model`?"),
        "an output as input": ("${{inputs.model}}", "names no input of this job"),
        "the path of an input": ("${{inputs.data.path}}", "Write `${{inputs.data}}`"),
        "a typo in inputs": ("${{input.data}}", "Did you mean `${{inputs.data}}`?"),
        "a capital": ("${{Inputs.data}}", "Did you mean `${{inputs.data}}`?"),
        "one brace and a dollar": ("${inputs.epochs}", "Write `${{inputs.epochs}}`."),
        "an expression of sweeps": ("${{search_space.lr}}", "is for sweep jobs"),
        "one of pipelines": ("${{parent.inputs.x}}", "is for pipeline jobs"),
    },
)
def test_refuses_what_would_not_be_replaced(command: str, says: str) -> None:
    (finding,) = reference_findings({**JOB, "command": command})
    assert finding.key_path == "command"
    assert says in f"{finding.what} {finding.remedy}"


def test_reports_that_a_job_has_no_inputs_and_how_to_add_one() -> None:
    (finding,) = reference_findings({"command": "${{inputs.x}}"})
    assert finding.remedy == "The job has no `inputs:`. Or add `x:` below `inputs:`."


@cases(
    "command, expected",
    {
        "an input": ("a ${{inputs.x}} b", "a 1 b"),
        "blanks in the braces": ("a ${{ inputs.x }}", "a 1"),
        "the path of an input of a component": ("a ${{inputs.x.path}}", "a 1"),
        "an output in quotes": ("'${{outputs.y}}/m'", "'/out/m'"),
        "an optional part that is given": ("a $[[--x ${{inputs.x}}]] b", "a --x 1 b"),
        "an optional part that is not": ("a $[[--z ${{inputs.z}}]] b", "a  b"),
        "else": ("a ${{name}} ${X} $[x] [[ -f a ]]", "a ${{name}} ${X} $[x] [[ -f a ]]"),
    },
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


@pytest.mark.parametrize("path", ["/a/b-1.csv", "/a b/é 'x' \"y\"/$HOME `id` \\n.csv"])
@cases(
    "command, expected",
    {
        "bare": ("printf %s ${{inputs.data}}", "{}"),
        "before more of a path": ("printf %s ${{inputs.data}}/part-1", "{}/part-1"),
        "after an option": ("printf %s --data=${{inputs.data}}", "--data={}"),
        "in double quotes": ('printf %s "${{inputs.data}}/x y"', "{}/x y"),
        "in single quotes": ("printf %s '${{inputs.data}}'", "{}"),
        "after an escaped quote": ("printf %s it\\'s-${{inputs.data}}", "it's-{}"),
        "after an apostrophe in a comment": ("# don't\nprintf %s ${{inputs.data}}", "{}"),
        "between quoted texts": ("printf %s 'a'${{inputs.data}}\"b\"", "a{}b"),
        "in an optional part": ("printf %s $[[--data=${{inputs.data}}]]", "--data={}"),
    },
)
def test_bash_sees_the_path(command: str, expected: str, path: str) -> None:
    rendered = render(command, {"data": path}, {}, paths={"inputs.data"})
    seen = subprocess.run(["bash", "-c", rendered], stdout=subprocess.PIPE, check=True).stdout
    assert seen.decode() == expected.replace("{}", path)


def test_a_plain_path_is_not_quoted() -> None:
    assert render("x ${{outputs.y}}", {}, {"y": "/b-1.csv"}, paths={"outputs.y"}) == "x /b-1.csv"


@cases(
    "command, scripts, unused",
    {
        "both used": ("a ${{inputs.epochs}} ${{ inputs.data }}", (), []),
        "one unused": ("a ${{inputs.epochs}}", (), ["inputs.data"]),
        "an optional part": ("a $[[${{inputs.epochs}}]] ${{inputs.data}}", (), []),
        "an output": ("a ${{outputs.data}}", (), ["inputs.epochs", "inputs.data"]),
        "a variable": ("a $AZURE_ML_INPUT_data", (), ["inputs.epochs"]),
        "one in a script": ("a", ("x", "$AZURE_ML_INPUT_data"), ["inputs.epochs"]),
        "no command": (None, (), []),
    },
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


@cases(
    "command, message",
    {
        "of the sweep": ("ls ${{inputs.data}} ${{search_space.rate}}", None),
        "no input of the sweep": ("ls ${{inputs.date}}", "names no input"),
        "a slip": ("ls ${{search_space.rat}}", "names nothing in the search space"),
    },
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

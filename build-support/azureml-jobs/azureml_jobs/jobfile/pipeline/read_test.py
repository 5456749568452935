from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.pipeline.checks import check_computes, pipeline_doubts
from azureml_jobs.jobfile.pipeline.model import (
    Data,
    InputDeclaration,
    Literal,
    OutputDeclaration,
    ParentInput,
    Pipeline,
    Settings,
    Step,
    StepOutput,
)
from azureml_jobs.jobfile.pipeline.read import read_pipeline

JOB_FILE = "exp/job.yml"
TRAIN = """
name: train
version: 1
type: command
command: python train.py --lr ${{inputs.lr}} $[[--seed ${{inputs.seed}}]]
environment: {image: ubuntu}
environment_variables: {A: component, B: component}
is_deterministic: false
inputs:
  data: {type: uri_folder, mode: download}
  lr: {type: number, default: 1, max: 10}
  seed: {type: integer, optional: true}
  shuffle: {type: boolean, default: "false"}
  loss: {type: string, default: mse, enum: [mse, mae]}
outputs: {model: {type: mlflow_model}, report: {type: uri_file}}
"""
INNER = """
name: inner
type: pipeline
inputs:
  folder: {type: uri_folder}
  lr: {type: number, default: 0.5}
  seed: {type: integer, optional: true}
outputs: {best: {type: mlflow_model}}
jobs:
  fit:
    type: command
    component: ./train.yml
    inputs:
      data: ${{parent.inputs.folder}}
      lr: ${{parent.inputs.lr}}
      seed: ${{parent.inputs.seed}}
    outputs: {model: "${{parent.outputs.best}}"}
"""
COMPONENTS = {"train": TRAIN, "inner": INNER}
STEP = "{type: command, command: ls, environment: {image: ubuntu}, code: ., %s}"


def documents(job: str) -> dict[str, Any]:
    texts = {JOB_FILE: job, **{f"exp/{name}.yml": text for name, text in COMPONENTS.items()}}
    return {path: yaml.safe_load(text) for path, text in texts.items()}


def read(job: str) -> Pipeline:
    return read_pipeline(documents(job), JOB_FILE)


def step_of(found: Pipeline, name: str) -> Step:
    return next(step for step in found.steps if step.name == name)


def pipeline(jobs: str, outputs: str = "") -> str:
    """Return a pipeline with these steps; all of it is YAML in one line."""
    return (
        "{type: pipeline, settings: {default_compute: 'azureml:c'}, inputs: {n: 3, data: "
        "{type: uri_folder, path: ../d, mode: download}}, outputs: {%s}, jobs: {%s}}"
    ) % (outputs, jobs)


def command(inputs: str = "", more: str = "outputs: {o: }") -> str:
    return STEP % f"inputs: {{{inputs}}}, {more}"


def train(inputs: str, more: str = "") -> str:
    return f"{{type: command, component: ./train.yml, inputs: {{{inputs}}}, {more}}}"


@cases(
    "value, expected",
    {
        "a number": ("1.5", Literal("1.5")),
        "a boolean": ("yes", Literal("True")),
        "a literal in a mapping": ("{value: 7}", Literal("7")),
        "a literal of the pipeline": ("${{parent.inputs.n}}", Literal("3")),
        "a text with a literal": ("a-${{ parent.inputs.n }}-b", Literal("a-3-b")),
        "what only the service replaces": ("${{name}}", Literal("${{name}}")),
        "data of the pipeline": ("${{parent.inputs.data}}", ParentInput("data")),
        "its path": ("${{parent.inputs.data.path}}", ParentInput("data")),
        "within": ("${{parent.inputs.data}}/a/b.csv", ParentInput("data", inner="a/b.csv")),
        "a mode of its own": (
            "{path: '${{parent.inputs.data}}', mode: direct}",
            ParentInput("data", "direct"),
        ),
        "another step": ("${{parent.jobs.b.outputs.o}}", StepOutput("b", "o")),
        "data of its own": (
            "{type: uri_file, path: 'a-${{parent.inputs.n}}.csv'}",
            Data({"type": "uri_file", "path": "a-3.csv"}, JOB_FILE, ("jobs", "a", "inputs", "x")),
        ),
        "a literal as if data": ("{path: '${{parent.inputs.n}}'}", Literal("3")),
        "nothing": ("{}", None),
    },
)
def test_reads_where_a_value_comes_from(value: str, expected: Any) -> None:
    if "${{" in value and "{path" not in value and "{type" not in value:
        value = f"'{value}'"
    found = read(pipeline(f"a: {command(f'x: {value}')}, b: {command()}"))
    assert step_of(found, "a").inputs.get("x") == expected


def test_a_component_declares_types_defaults_and_outputs() -> None:
    job = pipeline(
        "a: " + train("data: ../other, seed: 1, unknown: 1", "environment_variables: {B: step}")
    )
    step = step_of(read(job), "a")
    data = Data(
        {"type": "uri_folder", "path": "../other"}, JOB_FILE, ("jobs", "a", "inputs", "data")
    )
    # azure-ai-ml parses defaults: a number is 1.0, and a boolean False.
    assert step.inputs == {
        "data": data,
        "lr": Literal("1.0"),
        "seed": Literal("1"),
        "shuffle": Literal("False"),
        "loss": Literal("mse"),
    }
    assert step.declared["data"] == InputDeclaration("uri_folder", mode="download")
    assert step.outputs == {
        "model": OutputDeclaration("mlflow_model"),
        "report": OutputDeclaration("uri_file"),
    }
    assert step.node["environment_variables"] == {"A": "component", "B": "step"}
    assert step.node["command"].startswith("python train.py")
    assert step.node["is_deterministic"] is False
    assert (step.code_unit, step.environment_unit) == ("train", "train")


def test_a_step_without_a_component_has_types_of_what_it_is_bound_to() -> None:
    bound = "x: '${{parent.inputs.data}}', y: '${{parent.jobs.b.outputs.m}}'"
    outputs = "outputs: {m: '${{parent.outputs.model}}'}"
    found = read(
        pipeline(
            f"a: {command(bound)}, b: {command(more=outputs)}",
            outputs="model: {type: mlflow_model, mode: upload, name: best}",
        )
    )
    assert step_of(found, "a").declared == {
        "x": InputDeclaration("uri_folder", mode="download"),
        "y": InputDeclaration("mlflow_model"),
    }
    assert step_of(found, "b").outputs == {"m": OutputDeclaration("mlflow_model", "upload")}
    assert found.outputs == {"model": StepOutput("b", "m")}


def test_pipelines_inside_of_pipelines_have_values_of_the_outer_one() -> None:
    inner = "{type: pipeline, component: ./inner.yml, inputs: {folder: '${{parent.inputs.data}}'}}"
    found = read(
        pipeline(f"a: {inner}, b: {train('data: ' + repr('${{parent.jobs.a.outputs.best}}'))}")
    )
    assert [names for names, _ in found.walk()] == [("a",), ("a", "fit"), ("b",)]
    nested = step_of(found, "a").pipeline
    assert nested is not None
    assert nested.given == {"folder": ParentInput("data"), "lr": Literal("0.5")}
    assert step_of(nested, "fit").inputs["data"] == ParentInput("folder")
    assert step_of(nested, "fit").inputs["lr"] == Literal("0.5")
    assert "seed" not in step_of(nested, "fit").inputs
    assert nested.outputs["best"].step == "fit"
    assert step_of(found, "b").inputs["data"] == StepOutput("a", "best")


def test_a_sweep_has_its_trial_and_needs_no_value_for_what_it_searches() -> None:
    sweep = (
        "{type: sweep, trial: ./train.yml, objective: {goal: minimize, primary_metric: m},"
        " sampling_algorithm: random, limits: {max_total_trials: '${{parent.inputs.n}}'},"
        " search_space: {lr: {type: uniform, min_value: 1, max_value: 2}},"
        " inputs: {data: '${{parent.inputs.data}}'}}"
    )
    step = step_of(read(pipeline(f"a: {sweep}")), "a")
    assert step.kind == "sweep"
    assert step.node["limits"] == {"max_total_trials": "3"}
    assert step.node["trial"]["environment"] == {"image": "ubuntu"}
    assert (step.code_unit, list(step.outputs)) == ("train", ["model", "report"])


def test_steps_are_in_the_order_in_which_they_can_run() -> None:
    job = pipeline(
        f"end: {command()}, c: {command('x: ' + repr('${{parent.jobs.b.outputs.o}}'))},"
        f" b: {command()}, start: {command()}"
    )
    job = job.replace(
        "default_compute: 'azureml:c'", "on_init: start, on_finalize: end, force_rerun: yes"
    )
    found = read(job)
    assert [(step.name, step.after) for step in found.steps] == [
        ("start", ()),
        ("b", ("start",)),
        ("c", ("start", "b")),
        ("end", ("c", "b", "start")),
    ]
    assert found.settings == Settings(on_init="start", on_finalize="end", force_rerun=True)


def test_a_registered_component_is_found_by_its_name() -> None:
    steps = "a: {component: 'azureml:train:1', inputs: {data: d}}, b: {component: 'azureml:x@new'}"
    known = {"azureml:train:1": yaml.safe_load(TRAIN)}
    first, second = read_pipeline(documents(pipeline(steps)), JOB_FILE, known.get).steps
    assert (first.component, list(first.outputs)) == ("azureml:train:1", ["model", "report"])
    assert (second.component, "command" in second.node) == ("azureml:x@new", False)
    known["azureml:train:1"] = yaml.safe_load(INNER)
    with pytest.raises(JobError, match="registered ones run only in Azure ML"):
        read_pipeline(documents(pipeline(steps)), JOB_FILE, known.get)


REFUSED = [
    ("a: " + train("lr: 2"), "jobs.a.inputs.data: the input needs a value"),
    ("a: " + train("data: d, lr: high"), "jobs.a.inputs.lr: 'high' is no number"),
    ("a: " + train("data: d, seed: 1.5"), "jobs.a.inputs.seed: '1.5' is no integer"),
    ("a: " + train("data: d, lr: {path: x}"), "jobs.a.inputs.lr: this is data"),
    ("a: " + command("x: '${{parent.inputs.dat}}'"), "Did you mean `data`?"),
    ("a: " + command("x: '${{parent.jobs.b.outputs.o}}'"), "names no step of the pipeline"),
    (
        f"a: {command('x: ' + repr('${{parent.jobs.b.outputs.p}}'))}, b: {command()}",
        "jobs.a.inputs.x: `${{parent.jobs.b.outputs.p}}` names no output of the step",
    ),
    ("a: " + command("x: '${{inputs.n}}'"), "Write `${{parent.inputs.n}}`."),
    ("a: " + command("x: 'in ${{parent.inputs.data}}'"), "has data within a text"),
    ("a: " + command(more="outputs: {o: '${{parent.outputs.p}}'}"), "has no `outputs:`"),
    (
        f"a: {command('x: ' + repr('${{parent.jobs.b.outputs.o}}'))},"
        f" b: {command('x: ' + repr('${{parent.jobs.a.outputs.o}}'))}",
        "these steps wait for each other: a → b → a",
    ),
]


@pytest.mark.parametrize(("jobs", "message"), REFUSED)
def test_refuses_what_cannot_run(jobs: str, message: str) -> None:
    with pytest.raises(JobError) as caught:
        read(pipeline(jobs))
    assert caught.value.status == 2
    assert message in str(caught.value)


def test_warns_of_inputs_without_effect_and_of_values_out_of_limits() -> None:
    found = read(pipeline("a: " + train("data: d, lr: 11, loss: mad, Seed: 1")))
    doubts = [doubt.as_warning(path).partition(". ") for path, doubt in pipeline_doubts(found)]
    assert [(what.rpartition(".")[2], remedy.partition("?")[0]) for what, _, remedy in doubts] == [
        (
            "Seed: the component declares no such input, and Azure ML ignores it",
            "Did you mean `seed`",
        ),
        ("lr: `11` is more than the component declares", "Write 10."),
        ("loss: `mad` is none of the values that the component declares", "Did you mean `mae`"),
    ]


def validation(text: str, folder: Path) -> bool:
    """Return whether azure-ai-ml would submit the job."""
    from azure.ai.ml import load_job

    (folder / "exp").mkdir()
    (folder / "d").mkdir()
    for path, document in documents(text).items():
        (folder / path).write_text(yaml.safe_dump(document))
    try:
        job: Any = load_job(folder / JOB_FILE)
        job._to_rest_object()
        return bool(job._validate().passed)
    except Exception:
        return False


def is_accepted(check: Callable[[dict[str, Any], str], object], text: str) -> bool:
    try:
        check(documents(text), JOB_FILE)
    except JobError:
        return False
    return True


INNER_STEP = "{type: pipeline, component: ./inner.yml, inputs: {folder: '${{parent.inputs.data}}'}}"


@cases(
    "job",
    {
        "by default": pipeline(f"a: {command()}"),
        "nowhere": pipeline(f"a: {command()}").replace("settings", "tags"),
        "for each step": pipeline(f"a: {command(more='compute: serverless')}").replace(
            "settings", "tags"
        ),
        "not for inner": pipeline(f"a: {INNER_STEP}").replace("settings", "tags"),
    },
)
def test_asks_for_a_compute_as_azure_ai_ml_does(job: str, tmp_path: Path) -> None:
    assert is_accepted(check_computes, job) == validation(job, tmp_path)


@cases(
    "jobs",
    {
        "complete": "a: " + train("data: '${{parent.inputs.data}}'"),
        "a missing input": "a: " + train("lr: 2"),
        "no such input": "a: " + command("x: '${{parent.inputs.dat}}'"),
        "no such step": "a: " + command("x: '${{parent.jobs.b.outputs.o}}'"),
        "the old form": "a: " + command("x: '${{inputs.n}}'"),
        "a path within": "a: " + command("x: '${{parent.inputs.data}}/a.csv'"),
    },
)
def test_agrees_with_azure_ai_ml(jobs: str, tmp_path: Path) -> None:
    text = pipeline(jobs)
    assert is_accepted(read_pipeline, text) == validation(text, tmp_path)

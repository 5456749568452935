from __future__ import annotations

from typing import Any

import pytest
import yaml
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.documents import referred_documents
from azureml_jobs.jobfile.units import CodeUnit, code_units

JOB_FILE = "src/exp/azure-ml-job.yaml"
COMPONENT = "command: python train.py\nenvironment: azureml:e:1\ncode: .\n"


def units(job: str, **others: str) -> tuple[CodeUnit, ...]:
    """Return the units of the job; `others` are documents by their stems in `parts`."""
    texts = {JOB_FILE: job, **{f"src/exp/parts/{name}.yml": text for name, text in others.items()}}
    return code_units({path: yaml.safe_load(text) for path, text in texts.items()}, JOB_FILE)


def described(found: tuple[CodeUnit, ...]) -> list[tuple[str, str, str | None]]:
    return [(unit.name, ".".join(unit.keys), unit.code.path) for unit in found]


@cases(
    "job, expected",
    {
        "a command": ("command: python a.py", [("", "", "src/exp")]),
        "code above": ("{command: python a.py, code: ..}", [("", "", "src")]),
        "the whole repository": ("{command: ls, code: ../..}", [("", "", "")]),
        "one file": ("{command: ls, code: a.py}", [("", "", "src/exp/a.py")]),
        "any name": ("{command: ls, code: ./size ü}", [("", "", "src/exp/size ü")]),
        "git": ("{command: ls, code: 'git+https://x.org/y'}", [("", "", None)]),
        "registered code": ("{command: ls, code: 'azureml:c:1'}", [("", "", None)]),
        "an address": ("{command: ls, code: 'https://x.org/y'}", [("", "", None)]),
        "a sweep": (
            "{type: sweep, trial: {command: python a.py, code: src}}",
            [("trial", "trial", "src/exp/src")],
        ),
        "Spark": ("{type: Spark, entry: {file: a.py}, code: src}", [("", "", "src/exp/src")]),
        "parallel": (
            "{type: parallel, task: {code: src, entry_script: a.py}}",
            [("", "task", "src/exp/src")],
        ),
        "AutoML": ("{type: automl, training_data: {path: a}}", []),
        "a schedule of a registered job": ("{create_job: 'azureml:job-1'}", []),
        "a monitor": ("{create_monitor: {compute: {}}, trigger: {}}", []),
        "steps with and without code": (
            "{type: pipeline, jobs: {a: {type: automl}, b: {type: import}, c: {command: ls}}}",
            [("c", "jobs.c", "src/exp")],
        ),
        "a component in a step of that name": (
            "{type: pipeline, jobs: {component: {component: {command: ls}}}}",
            [("component", "jobs.component.component", "src/exp")],
        ),
        "a sweep in a pipeline": (
            "{type: pipeline, jobs: {a: {type: sweep, trial: {command: ls}}}}",
            [("a", "jobs.a.trial", "src/exp")],
        ),
    },
)
def test_finds_every_command_with_its_code(
    job: str, expected: list[tuple[str, str, str | None]]
) -> None:
    assert described(units(job)) == expected


@pytest.mark.parametrize(
    "reference", ["./parts/train.yml", "parts/train.yml", "file:parts/train.yml"]
)
@cases(
    "job",
    {
        "a component": "{{type: pipeline, jobs: {{a: {{component: '{0}'}}}}}}",
        "one component in two steps": "{{type: pipeline, jobs: {{a: {{component: '{0}'}}, "
        "b: {{component: '{0}'}}}}}}",
        "the component of the pipeline": "{{type: pipeline, component: '{0}'}}",
        "a trial": "{{type: pipeline, jobs: {{a: {{type: sweep, trial: '{0}'}}}}}}",
        "a scheduled job": "create_job: '{0}'",
        "a scheduled job with changes": "create_job: {{type: command, job: '{0}'}}",
    },
)
def test_follows_references_to_other_files(job: str, reference: str) -> None:
    job = job.format(reference)
    assert referred_documents(yaml.safe_load(job), JOB_FILE) == ("src/exp/parts/train.yml",)
    assert described(units(job, train=COMPONENT)) == [("train", "", "src/exp/parts")]


def test_follows_pipelines_in_pipelines() -> None:
    nested = "{type: pipeline, jobs: {a: {component: ./train.yml}, b: {command: ls}}}"
    found = units(
        "{type: pipeline, jobs: {a: {component: ./parts/nested.yml}, train: {command: ls}}}",
        nested=nested,
        train=COMPONENT,
    )
    assert described(found) == [
        ("train", "jobs.train", "src/exp"),
        ("nested-b", "jobs.b", "src/exp/parts"),
        ("train-2", "", "src/exp/parts"),
    ]


@pytest.mark.parametrize(
    "reference", ["azureml:a:1", "azureml:a@latest", "azureml://registries/r/components/a/labels/b"]
)
def test_leaves_registered_components_alone(reference: str) -> None:
    job: dict[str, Any] = {"type": "pipeline", "jobs": {"a": {"component": reference}}}
    assert referred_documents(job, JOB_FILE) == ()
    assert code_units({JOB_FILE: job}, JOB_FILE) == ()


@cases(
    "environment, globs",
    {
        "registered": ("azureml:e@latest", ()),
        "in a registry": ("azureml://registries/r/environments/e/versions/1", ()),
        "packages within": ("{image: x, conda_file: {name: y}}", ()),
        "a remote context": ("{build: {path: 'https://x.org/y.git'}}", ()),
        "a conda file": ("{image: x, conda_file: ../e.yml}", ("src/e.yml",)),
        "a build context": (
            "{build: {path: ./docker}}",
            ("src/exp/docker/**", "!src/exp/docker/**/BUILD", "!src/exp/docker/**/BUILD.*"),
        ),
        "a file of its own": ("file:parts/env.yml", ("src/exp/parts/conda.yml",)),
    },
)
def test_reads_every_form_of_environment(environment: str, globs: tuple[str, ...]) -> None:
    (unit,) = units(
        f"command: ls\nenvironment: {environment}\n", env="image: x\nconda_file: conda.yml\n"
    )
    assert (unit.environment.globs if unit.environment else ()) == globs


def test_a_step_may_have_another_environment_than_its_component() -> None:
    step = "{component: ./parts/train.yml, environment: {build: {path: docker}}}"
    found = units(f"{{type: pipeline, jobs: {{a: {step}}}}}", train=COMPONENT)
    assert described(found) == [("a", "jobs.a", "src/exp/parts"), ("train", "", "src/exp/parts")]
    assert [unit.has_code for unit in found] == [False, True]
    assert found[0].starts == found[1].starts


def test_an_entry_script_starts_next_to_its_code_with_its_arguments() -> None:
    task = "{code: src, entry_script: a/score.py, program_arguments: --model m/x.pkl}"
    (unit,) = units(f"{{type: parallel, task: {task}}}")
    (start,) = unit.starts.python
    assert (start.value, start.search_path) == ("a/score.py", ("a", ""))
    assert unit.where == "src/exp/azure-ml-job.yaml: task.entry_script"
    assert "m/x.pkl" in unit.starts.files


def test_an_entry_script_may_be_a_module() -> None:
    (unit,) = units("{type: parallel, task: {code: src, entry_script: package.main}}")
    (start,) = unit.starts.python
    assert (start.kind, start.value, start.search_path) == ("module", "package.main", ("",))


def test_spark_is_given_files_and_archives_of_modules() -> None:
    (unit,) = units(
        "{type: spark, entry: {file: s.py}, py_files: [lib/u.py, x.zip], jars: [a.jar], "
        "files: ['azureml:d:1'], archives: ['https://x.org/y.zip'], args: '--conf c/d.json'}"
    )
    (start,) = unit.starts.python
    assert (start.value, start.search_path) == ("s.py", ("", "lib", "x.zip"))
    assert set(unit.starts.files) == {"lib/u.py", "x.zip", "a.jar", "c/d.json"}


@cases(
    "job, message",
    {
        "code outside": ("{command: ls, code: ../../..}", "code: '../../..' leads out of the"),
        "a missing component": (
            "{type: pipeline, jobs: {a: {component: ./gone.yml}}}",
            "jobs.a.component: there is no file src/exp/gone.yml.",
        ),
        "a missing environment": (
            "{command: ls, environment: 'file:gone.yml'}",
            "environment: there is no file src/exp/gone.yml.",
        ),
        "a file that refers to itself": (
            "{type: pipeline, component: azure-ml-job.yaml}",
            "component: src/exp/azure-ml-job.yaml refers to itself.",
        ),
        "the repository as a build context": (
            "{command: ls, environment: {build: {path: ../..}}}",
            "environment.build.path: '../..' is not below the repository's root.",
        ),
        "an open quote": ("{command: 'a \"b'}", "command: "),
    },
)
def test_refuses_what_cannot_be_packaged_and_names_the_key(job: str, message: str) -> None:
    with pytest.raises(JobError) as caught:
        units(job)
    assert str(caught.value).startswith(f"src/exp/azure-ml-job.yaml: {message}")

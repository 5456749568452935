from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.conftest import BACKENDS, WITH_TARGETS
from azureml_pants.experiment import register as experiment
from azureml_pants.file_set import register as file_set
from azureml_pants.imports import register as imports
from azureml_pants.job import register as job
from azureml_pants.locks import register as locks
from azureml_pants.new_experiment import register as new_experiment
from azureml_pants.script import register as script
from pants.backend.build_files.fmt.black import register as build_files_black
from pants.backend.docker import register as docker
from pants.backend.experimental.tools.yamllint import register as yamllint
from pants.backend.python import register as python
from pants.backend.python.lint.black import register as black
from pants.backend.python.lint.flake8 import register as flake8
from pants.backend.python.lint.isort import register as isort
from pants.backend.python.typecheck.mypy import register as mypy
from pants.core import register as core
from pants.engine.addresses import Address
from pants.engine.target import Target
from pants.testutil.rule_runner import RuleRunner

ADDRESS = Address("src/x", target_name="x")
LINTERS = (black, flake8, isort, mypy, yamllint, build_files_black)
NOT_ABOUT_AZURE_ML = (experiment, file_set, imports, locks, new_experiment)


@pytest.mark.parametrize(
    "backends",
    [
        pytest.param((*BACKENDS, *LINTERS), id="all, with the linters of pants.toml"),
        pytest.param(
            [each for each in BACKENDS if each not in NOT_ABOUT_AZURE_ML], id="about Azure ML"
        ),
        pytest.param(NOT_ABOUT_AZURE_ML, id="not about Azure ML"),
        pytest.param((job,), id="jobs"),
        pytest.param((script,), id="scripts"),
    ],
)
def test_backends_need_only_those_of_python_and_docker(backends: tuple[ModuleType, ...]) -> None:
    # Builds the graph of the rules of all goals, which fails when a rule is missing.
    RuleRunner(
        rules=[rule for each in (core, python, docker, *backends) for rule in each.rules()],
        target_types=[
            target
            for each in (core, python, docker, *backends)
            if hasattr(each, "target_types")
            for target in each.target_types()
        ],
    )


TARGETS = [target for backend in WITH_TARGETS for target in backend.target_types()]


def helps() -> list[tuple[str, str]]:
    """Return all that `./pants help` prints of this plugin, by what it is about."""
    found = [(AzureMLSubsystem.__name__, AzureMLSubsystem.help)]
    for name, member in inspect.getmembers(AzureMLSubsystem):
        if hasattr(member, "flag_options"):
            found.append((name, member.flag_options["help"]))
    for target in TARGETS:
        found.append((target.alias, target.help))
        found += [
            (f"{target.alias}.{field.alias}", field.help)
            for field in target.core_fields
            if field.__module__.startswith("azureml_pants")
        ]
    return [(name, help() if callable(help) else help) for name, help in found]


@pytest.mark.parametrize("name, text", [pytest.param(*each, id=each[0]) for each in helps()])
def test_help_is_made_of_sentences(name: str, text: str) -> None:
    assert text == text.strip() and text[-1] in ".:"
    assert not re.search(r"[{}]|  ", text), "a value was not filled in, or a text was not unwrapped"


@pytest.mark.parametrize("target", TARGETS)
def test_help_of_a_target_shows_how_it_is_written(target: type[Target]) -> None:
    text = target.help() if callable(target.help) else target.help
    example = re.search(rf"Example: `({target.alias}\(.*\))`", text)
    assert example is not None
    written = eval(example.group(1), {target.alias: dict})
    target({name: value for name, value in written.items() if name != "name"}, ADDRESS)

from __future__ import annotations

import inspect
import re

import pytest
from azureml_pants import options, target_types
from azureml_pants.register import target_types as registered
from azureml_pants.target_types import (
    AzureMLJobEntryPointField,
    AzureMLJobSourceField,
    AzureMLJobTarget,
    AzureMLLocalEntryPointField,
    AzureMLLocalTarget,
)
from pants.core.goals.package import OutputPathField
from pants.engine.addresses import Address
from pants.engine.target import InvalidTargetException, Target

ADDRESS = Address("src/x", target_name="job")


def job(**fields: object) -> Target:
    return AzureMLJobTarget(fields, ADDRESS)


def test_a_job_needs_no_field() -> None:
    target = job()
    assert target[AzureMLJobSourceField].path == "src/x/azure-ml-job.yaml"
    assert target[AzureMLJobEntryPointField].value is None
    assert target[OutputPathField].value_or_default(file_ending=None) == "src.x/job"


def test_a_job_file_may_stand_in_a_folder_below() -> None:
    assert job(source="jobs/small.yml")[AzureMLJobSourceField].path == "src/x/jobs/small.yml"


def test_a_job_in_the_root_has_a_path_without_a_folder() -> None:
    field = AzureMLJobSourceField(None, Address("", target_name="job"))
    assert field.path == "azure-ml-job.yaml"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("../job.yaml", id="a folder above"),
        pytest.param("*.yaml", id="a glob"),
        pytest.param("!job.yaml", id="an exclusion"),
        pytest.param(["job.yaml"], id="a list"),
    ],
)
def test_a_source_that_is_no_file_name_is_refused(source: object) -> None:
    with pytest.raises(InvalidTargetException, match=r"'source' field in target src/x:job"):
        job(source=source)


def test_a_job_file_that_does_not_exist_is_no_mistake_of_the_build_file() -> None:
    assert job(source="gone.yaml")[AzureMLJobSourceField].path == "src/x/gone.yaml"


def test_a_local_target_runs_local_py() -> None:
    target = AzureMLLocalTarget({}, Address("src/x", target_name="local"))
    assert target[AzureMLLocalEntryPointField].value == "local.py"


def helps() -> list[tuple[str, str]]:
    """All that `./pants help` prints of this plugin, by what it is about."""
    found = [(options.AzureMLSubsystem.__name__, options.AzureMLSubsystem.help)]
    for name, member in inspect.getmembers(options.AzureMLSubsystem):
        if hasattr(member, "flag_options"):
            found.append((name, member.flag_options["help"]))
    for target in registered():
        found.append((target.alias, target.help))
        found += [
            (f"{target.alias}.{field.alias}", field.help)
            for field in target.core_fields
            if field.__module__ == target_types.__name__
        ]
    return [(name, help() if callable(help) else help) for name, help in found]


@pytest.mark.parametrize("name, text", [pytest.param(*each, id=each[0]) for each in helps()])
def test_help_is_made_of_sentences(name: str, text: str) -> None:
    assert text == text.strip() and text[-1] in ".:"
    assert not re.search(r"[{}]|  ", text), "a value was not filled in, or a text was not unwrapped"


@pytest.mark.parametrize("target", registered())
def test_help_of_a_target_shows_how_it_is_written(target: type[Target]) -> None:
    text = target.help() if callable(target.help) else target.help
    example = re.search(rf"Example: `({target.alias}\(.*\))`", text)
    assert example is not None
    written = eval(example.group(1), {target.alias: dict})
    target({name: value for name, value in written.items() if name != "name"}, ADDRESS)

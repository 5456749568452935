from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.provenance import made_here, provenance_of
from azureml_jobs.conftest import Gathered
from azureml_jobs.local.create_job import plan_run
from azureml_jobs.local.register_component import register_component
from azureml_jobs.local.registry import RegisteredVersion
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.protocol import PackagesVenv

COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: train
command: python -m exp.main
code: ..
environment: azureml:env:1
"""


def register(gathered: Gathered, text: str = COMPONENT) -> RegisteredVersion:
    plan = gathered.plan(text)
    run = plan_run(plan, gathered.folder, gathered.repository, lambda need: Runtime())
    made = made_here(gathered.repository, plan.request.address, [text])
    provenance = provenance_of(plan, gathered.repository, made)
    return register_component(plan, provenance, run.units, gathered.repository)


def test_registers_a_component_with_its_code(gathered: Gathered, venv: PackagesVenv) -> None:
    gathered.add_code()
    found = register(gathered)
    assert found.id == "azureml:train:1"
    assert found.document()["code"] == "./code"
    assert (found.path / "code/exp/main.py").is_file()
    assert found.meta["units"][""]["python"] == venv.prefix


def test_makes_a_new_version_only_of_what_has_changed(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    gathered.add_code()
    assert [register(gathered).version, register(gathered).version] == ["1", "1"]
    assert register(gathered, f"# A comment\n{COMPONENT}").version == "1"
    assert register(gathered, COMPONENT + "display_name: Train\n").version == "2"
    gathered.write("src/exp/main.py", "import common.a, os\n")
    assert register(gathered, COMPONENT + "display_name: Train\n").version == "3"
    assert register(gathered, COMPONENT + "version: 7\n").version == "7"
    assert register(gathered, COMPONENT + "version: 7\n").version == "7"
    with pytest.raises(JobError, match="azureml:train:7: this version exists already"):
        register(gathered, COMPONENT + "version: 7\ndisplay_name: Train\n")

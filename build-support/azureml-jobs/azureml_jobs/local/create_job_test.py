"""Jobs are created in the local workspace."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.manifest_file import read_manifest
from azureml_jobs.conftest import JOB, Gathered
from azureml_jobs.docker.engine import Image
from azureml_jobs.local.conftest import below, create
from azureml_jobs.local.distribution import process_count
from azureml_jobs.local.run_environment import ensure_packages_venv, is_new
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.protocol import PackagesVenv

FULL_JOB = """\
display_name: größe
experiment_name: my-experiment
description: what it does
code: ..
command: python -m exp.main ${{inputs.table}} ${{inputs.rate}} ${{outputs.model}}
inputs:
  table: {type: uri_file, path: a.csv}
  rate: 0.5
outputs:
  model: {type: uri_folder}
tags: {purpose: example}
environment_variables: {A: "1"}
limits: {timeout: 90}
distribution: {type: PyTorch, process_count_per_instance: 2}
resources: {instance_count: 3}
environment: azureml:env:1
"""


def test_creates_a_job_with_its_record(gathered: Gathered, venv: PackagesVenv) -> None:
    gathered.add_code()
    gathered.write("src/exp/a.csv", "1,2\n")
    folder = create(gathered, FULL_JOB)
    record = folder.read()
    assert folder.path.parent == gathered.repository / ".azureml/jobs"
    digest = record.snapshot
    assert folder.name == record.name == f"my-experiment-{digest[:8]}-1"
    assert record.command == (
        f"python -m exp.main {gathered.repository}/src/exp/a.csv 0.5 {folder.outputs}/model"
    )
    assert (record.display_name, record.description) == ("größe", "what it does")
    assert record.experiment_name == "my-experiment"
    assert (record.address, record.python) == ("src/exp:job", venv.prefix)
    assert record.unused_modules == {"sklearn": "3rdparty:p#scikit-learn"}
    assert record.tags == {"purpose": "example"}
    assert process_count(record.distribution) == 6
    assert record.environment_variables == {"A": "1"}
    assert record.timeout == 90
    assert record.inputs["rate"] == {"kind": "literal", "value": "0.5", "asset": None}
    assert record.outputs == {"model": f"{folder.outputs}/model"}
    assert [path for path in below(folder.bundle) if path.endswith(".py")] == [
        *("code/common/a.py", "code/exp/__init__.py", "code/exp/main.py")
    ]


@pytest.mark.parametrize(
    ("job", "where"),
    [
        (FULL_JOB, "inputs.table.path"),
        (JOB.replace("code: ..", "code: git+https://example.org/a/b.git"), "code"),
    ],
    ids=["an input", "code that only Azure ML fetches"],
)
def test_writes_nothing_when_something_is_missing(
    gathered: Gathered, venv: PackagesVenv, job: str, where: str
) -> None:
    with pytest.raises(JobError) as caught:
        create(gathered, job)
    assert (caught.value.status, caught.value.where) == (2, f"src/exp/azure-ml-job.yaml: {where}")
    assert not (gathered.repository / ".azureml").exists()


def test_records_the_image_that_it_runs_in(gathered: Gathered, venv: PackagesVenv) -> None:
    gathered.add_code()
    job = create(gathered, JOB, Runtime(Image("exp:env-1", "sha256:ab")))
    recorded = read_manifest(job.bundle)["image"]
    assert recorded == {"reference": "exp:env-1", "id": "sha256:ab"}


@pytest.mark.parametrize("blocked", [".azureml", ".azureml/jobs"])
def test_reports_that_the_workspace_cannot_be_written(
    gathered: Gathered, venv: PackagesVenv, blocked: str
) -> None:
    gathered.add_code()
    (gathered.repository / blocked).parent.mkdir(exist_ok=True)
    (gathered.repository / blocked).write_text("a file where a folder is needed")
    with pytest.raises(OutsideError, match="the local workspace could not be written") as caught:
        create(gathered)
    assert caught.value.status == 1
    assert f"{gathered.repository}/{blocked}" in caught.value.remedy


def write_seed(gathered: Gathered, script: str) -> None:
    file = gathered.folder / "seed"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_installs_a_pruned_environment_again(
    gathered: Gathered, venv: PackagesVenv, tmp_path: Path
) -> None:
    python = Path(venv.prefix, "bin/python")
    python.unlink()
    write_seed(gathered, f'echo "$@" > {tmp_path}/arguments; touch {python}')
    assert ensure_packages_venv(venv, gathered.folder) == venv.prefix
    assert (tmp_path / "arguments").read_text() == "-c \n"
    write_seed(gathered, "exit 1")
    assert ensure_packages_venv(venv, gathered.folder) == venv.prefix


def test_packages_are_new_until_one_is_imported(tmp_path: Path) -> None:
    assert not is_new(str(tmp_path))
    for name in ("a", "b"):
        package = tmp_path / "lib/python3.11/site-packages" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    assert is_new(str(tmp_path))
    (package / "__pycache__").mkdir()
    assert not is_new(str(tmp_path))


def test_reports_that_an_environment_cannot_be_installed_again(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    gathered.add_code()
    Path(venv.prefix, "bin/python").unlink()
    write_seed(gathered, "echo no network >&2; exit 1")
    with pytest.raises(OutsideError, match="could not be installed again: no network") as caught:
        create(gathered)
    assert venv.prefix == caught.value.where
    assert not (gathered.repository / ".azureml").exists()

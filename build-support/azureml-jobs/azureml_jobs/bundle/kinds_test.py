"""A bundle of anything but a command job has each document, and each unit on its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from azureml_jobs.bundle.conftest import document_of, refusal, written
from azureml_jobs.bundle.manifest_file import read_manifest
from azureml_jobs.cli import dry_run
from azureml_jobs.conftest import JOB, Gathered, cases

PIPELINE = """\
type: pipeline
inputs: {raw: {type: uri_folder, path: ../../data}}
jobs:
  prepare:
    command: python prepare.py
    code: src
    environment: {build: {path: docker}}
    inputs: {raw: {path: a.csv}}
  train:
    component: ./parts/train.yml
"""
TRAIN = "command: python train.py\ncode: ../src\nenvironment: file:../env.yml\n"
FILES = {
    "src/exp/parts/train.yml": TRAIN,
    "src/exp/env.yml": "image: p\nconda_file: conda.yml\n",
    "src/exp/a.csv": "1\n",
    "data/b.csv": "2\n",
}


@pytest.fixture
def pipeline(gathered: Gathered) -> Gathered:
    for path, content in FILES.items():
        gathered.write(path, content)
    gathered.add("src/exp/src/prepare.py", "import tools\n", units=("prepare",))
    gathered.add("src/exp/src/train.py", "import tools\n", units=("train",))
    gathered.add("src/exp/src/tools.py", "A = 1\n")
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    gathered.add_context("src/exp/conda.yml", "name: x\n")
    return gathered


def test_writes_each_document_and_each_unit_with_paths_that_stay_inside(
    pipeline: Gathered,
) -> None:
    bundle = written(pipeline, PIPELINE)
    files = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    assert files == {
        *("azure-ml-job.yaml", "train.yml", "manifest.json", "changes.diff"),
        *("code/prepare/prepare.py", "code/prepare/tools.py"),
        *("code/train/train.py", "code/train/tools.py"),
        *("environment/prepare/Dockerfile", "environment/prepare/requirements.txt"),
        "environment/train/conda.yml",
        *("data/raw/data/b.csv", "data/prepare-raw/a.csv"),
    }
    assert document_of(bundle) == {
        "type": "pipeline",
        "inputs": {"raw": {"type": "uri_folder", "path": "./data/raw/data"}},
        "jobs": {
            "prepare": {
                "command": "python prepare.py",
                "code": "./code/prepare",
                "environment": {"build": {"path": "./environment/prepare"}},
                "inputs": {"raw": {"path": "./data/prepare-raw/a.csv"}},
            },
            "train": {"component": "./train.yml"},
        },
    }
    assert document_of(bundle, "train.yml") == {
        "command": "python train.py",
        "code": "./code/train",
        "environment": {"image": "p", "conda_file": "./environment/train/conda.yml"},
    }
    manifest = read_manifest(bundle)
    units = pipeline.plan(PIPELINE).bundle.units
    assert [
        (each["name"], each["document"], each["key"], each["snapshot"]["sha256"])
        for each in manifest["units"]
    ] == [
        ("prepare", "src/exp/azure-ml-job.yaml", "jobs.prepare", units[0].snapshot_digest),
        ("train", "src/exp/parts/train.yml", "", units[1].snapshot_digest),
    ]


def test_keeps_the_names_of_the_inputs_of_the_job(gathered: Gathered) -> None:
    gathered.add_code()
    inputs = "inputs:\n  data: {path: a.csv}\n  Data: {path: a.csv}\n"
    plan = gathered.plan(JOB.replace("inputs:\n", inputs))
    assert [item.name for item in plan.bundle.data] == ["data", "Data"]


def test_two_documents_of_one_name_get_two_names(pipeline: Gathered) -> None:
    pipeline.write("src/exp/other/train.yml", TRAIN)
    bundle = written(pipeline, PIPELINE + "  again:\n    component: other/train.yml\n")
    assert document_of(bundle)["jobs"]["again"] == {"component": "./train-2.yml"}
    assert document_of(bundle, "train-2.yml")["code"] == "./code/train-2"


def test_an_edit_in_one_unit_leaves_the_digests_of_the_others(pipeline: Gathered) -> None:
    def digests() -> dict[str, tuple[str, str | None]]:
        units = pipeline.plan(PIPELINE).bundle.units
        return {unit.unit.name: (unit.snapshot_digest, unit.environment_digest) for unit in units}

    before = digests()
    pipeline.write("src/exp/src/train.py", "import tools  # edited\n")
    edited = digests()
    assert edited["prepare"] == before["prepare"] and edited["train"] != before["train"]
    pipeline.write("src/exp/src/tools.py", "A = 2\n")
    assert digests()["prepare"] != before["prepare"]
    pipeline.write("src/exp/src/tools.py", "A = 1\n")
    pipeline.write("src/exp/docker/Dockerfile", "FROM y\n")
    assert digests()["train"] == edited["train"]


@pytest.mark.parametrize(
    "setting",
    [
        "experiment_name=other",
        "settings.default_compute=azureml:cpu",
        "jobs.prepare.inputs.raw.path=b.csv",
        "jobs.train.inputs.rate=0.1",
        "jobs.prepare.command=python tools.py",
        "jobs.train.component=azureml:other:1",
    ],
)
def test_accepts_overrides_below_steps(pipeline: Gathered, setting: str) -> None:
    keys, _, value = setting.partition("=")
    found: Any = pipeline.plan(PIPELINE, setting).job
    for key in keys.split("."):
        found = found[key]
    assert found == yaml.safe_load(value)


@cases(
    "setting, message",
    {
        "a file of another step": (
            "jobs.prepare.command=python train.py",
            "jobs.prepare.command: the overridden command needs src/exp/src/train.py",
        ),
        "a slip": ("jobs.prepar.command=ls", "jobs.prepar: the job file has no such command"),
        "code": ("jobs.prepare.code=..", "jobs.prepare.code: the code cannot be overridden"),
        "an environment": (
            "jobs.prepare.environment=azureml:e:1",
            "jobs.prepare.environment: the folder or file of an environment cannot be overridden",
        ),
    },
)
def test_refuses_overrides_after_which_files_are_missing(
    pipeline: Gathered, setting: str, message: str
) -> None:
    error = refusal(pipeline, PIPELINE, setting)
    assert error.startswith(f"src/exp/azure-ml-job.yaml: {message}")


def test_a_dry_run_shows_documents_and_units(pipeline: Gathered) -> None:
    plan = pipeline.plan(PIPELINE)
    prepare, train = plan.bundle.units
    text = dry_run.as_text(plan, None, pipeline.repository)
    assert text.startswith(
        "src/exp:job is a pipeline job. It would run in the local workspace .azureml (config.env "
        "names no workspace).\n\n"
        "Documents\n"
        "  azure-ml-job.yaml: src/exp/azure-ml-job.yaml\n"
        "  train.yml: src/exp/parts/train.yml\n\n"
        "Steps\n"
        "  prepare  raw = a.csv\n"
        "  train\n\n"
        "prepare: jobs.prepare of src/exp/azure-ml-job.yaml\n"
        f"  Snapshot {prepare.snapshot_digest[:12]}: 2 files, "
    )
    assert f"  Environment {str(prepare.environment_digest)[:12]}: 2 files, packages of " in text
    assert (
        "\n\ntrain: src/exp/parts/train.yml\n"
        f"  Snapshot {train.snapshot_digest[:12]}: 2 files, " in text
    )
    assert f"  Environment {str(train.environment_digest)[:12]}: 1 file\n" in text
    report = dry_run.as_data(plan, None, pipeline.repository)
    assert json.loads(json.dumps(report)) == report
    assert report["documents"] == ["src/exp/azure-ml-job.yaml", "src/exp/parts/train.yml"]
    assert [(each["step"], each["unit"]) for each in report["steps"]] == [
        *(("prepare", "prepare"), ("train", "train")),
    ]
    assert report["units"][1]["snapshot"]["sha256"] == train.snapshot_digest


def test_code_that_is_not_local_stays_as_it_is(gathered: Gathered) -> None:
    job = "command: ls\nenvironment: azureml:e:1\ncode: git+https://example.org/a/b.git\n"
    bundle = written(gathered, job)
    assert document_of(bundle) == yaml.safe_load(job)


def test_what_a_component_includes_is_in_its_code(gathered: Gathered) -> None:
    gathered.add("lib/tools/a.py", root="lib")
    bundle = written(
        gathered,
        "$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\n"
        "name: c\ncommand: ls\nenvironment: azureml:e:1\nadditional_includes: [../../lib/tools]\n",
    )
    component = document_of(bundle)
    assert component["code"] == "./code" and "additional_includes" not in component
    assert (bundle / "code/tools/a.py").is_file()


@cases(
    "component, named",
    {
        "a flow": ("flow/flow.dag.yaml", "./code/flow.dag/flow.dag.yaml"),
        "a run of a flow": ("run.yml", "./run.yml"),
    },
)
def test_sends_the_folder_of_a_prompt_flow(gathered: Gathered, component: str, named: str) -> None:
    schema = "$schema: https://azuremlschemas.azureedge.net/promptflow/latest/%s.schema.json\n"
    gathered.add("src/exp/flow/flow.dag.yaml", schema % "Flow" + "nodes: []\n")
    gathered.add("src/exp/flow/hello.py")
    gathered.write("src/exp/run.yml", schema % "Run" + "flow: ./flow\n")
    step = f"type: parallel, component: {component}"
    bundle = written(gathered, f"{{type: pipeline, jobs: {{a: {{{step}}}}}}}")
    assert document_of(bundle)["jobs"]["a"]["component"] == named
    if component == "run.yml":
        assert document_of(bundle, "run.yml")["flow"] == "./code/run"
    (code,) = (bundle / "code").iterdir()
    assert sorted(path.name for path in code.iterdir()) == ["flow.dag.yaml", "hello.py"]

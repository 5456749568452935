from __future__ import annotations

import json

import pytest
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.cli import dry_run
from azureml_jobs.conftest import CONTEXT_JOB, JOB, Gathered, Terminal

WORKSPACE = AzureWorkspace("1234", "my-group", "my-workspace")
DATA_JOB = CONTEXT_JOB.replace(
    "inputs:\n", "inputs:\n  table: {type: uri_file, path: a.csv}\n  folder: {path: ../../data}\n"
)


@pytest.fixture
def plan(gathered: Gathered) -> JobPlan:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    gathered.write("src/exp/a.csv", "1,2\n")
    gathered.write("data/ü/b.csv", "x" * 2500)
    gathered.write("data/c.csv", "x" * 500)
    (gathered.repository / "data/link.csv").symlink_to("c.csv")
    return gathered.plan(DATA_JOB, "inputs.epochs=9")


def test_reports_everything_as_data(plan: JobPlan, gathered: Gathered) -> None:
    report = dry_run.as_data(plan, None, gathered.repository)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["documents"] == ["src/exp/azure-ml-job.yaml"]
    assert report["destination"] == {"kind": "local", "folder": ".azureml"}
    assert report["job"]["inputs"]["epochs"] == 9
    assert report["data"] == [
        {"input": "table", "path": "src/exp/a.csv", "size": 4},
        {"input": "folder", "path": "data", "size": 3500},
    ]
    assert report["snapshot"]["sha256"] == plan.bundle.unit.snapshot_digest
    assert report["snapshot"]["files"][0] == {
        "path": "common/a.py",
        "source": "src/common/a.py",
        "owner": "//src/common/a.py",
        "why": "needed by src/exp/main.py",
        "size": 6,
        "sha256": plan.bundle.unit.code[0].sha256,
        "executable": False,
    }
    assert [file["path"] for file in report["environment"]["files"]] == [
        *("Dockerfile", "requirements.txt"),
    ]


def test_names_the_workspace_of_the_job(plan: JobPlan, gathered: Gathered) -> None:
    assert dry_run.as_data(plan, WORKSPACE, gathered.repository)["destination"] == {
        "kind": "azure",
        "subscription_id": "1234",
        "resource_group": "my-group",
        "workspace": "my-workspace",
    }
    text = dry_run.as_text(plan, WORKSPACE, gathered.repository)
    assert text.startswith(
        "src/exp:job would run in the Azure ML workspace my-workspace in my-group.\n"
    )


def test_reports_everything_as_text(
    plan: JobPlan, gathered: Gathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, environment = plan.bundle.unit.snapshot_digest, plan.bundle.unit.environment_digest
    text = dry_run.as_text(plan, None, gathered.repository)
    assert text.splitlines()[:7] == [
        "src/exp:job would run in the local workspace .azureml (config.env names no workspace).",
        "",
        f"Snapshot {digest[:12]}: 3 files, 22 B",
        "  size  file             from                 why",
        "   6 B  common/a.py      src/common/a.py      needed by src/exp/main.py",
        "   0 B  exp/__init__.py  src/exp/__init__.py  makes its folder a package",
        "  16 B  exp/main.py      src/exp/main.py      run or named by src/exp:job",
    ]
    assert (
        f"Environment {str(environment)[:12]}: 2 files, packages of 3rdparty/a.lock: numpy" in text
    )
    assert "\n  folder: data (3.5 kB)\n" in text
    assert "\n\nJob src/exp/azure-ml-job.yaml\n  code: ..\n" in text and "\n    epochs: 9" in text
    assert "\x1b" not in text
    Terminal.use(monkeypatch)
    assert "\x1b[1mSnapshot\x1b[0m" in dry_run.as_text(plan, None, gathered.repository)


@pytest.mark.parametrize(
    ("job", "shown"),
    [
        pytest.param(JOB, "Environment azureml:env:1\n", id="a registered environment"),
        pytest.param(
            JOB.replace("azureml:env:1", "{image: x}"), "Environment as the job", id="an image"
        ),
        pytest.param("command: a\nenvironment: azureml:e:1\n", ": 0 files, 0 B\n", id="no code"),
    ],
)
def test_shows_a_job_without_files_of_some_kind(gathered: Gathered, job: str, shown: str) -> None:
    if "code" in job:
        gathered.add_code()
    assert shown in dry_run.as_text(gathered.plan(job), None, gathered.repository)


def test_does_not_call_data_from_elsewhere_the_repositorys(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    plan = gathered.plan(DATA_JOB.replace("../../data", "../../../other"), allow=["../other"])
    text = dry_run.as_text(plan, None, gathered.repository)
    inside, outside = text.split("Data from elsewhere on this machine\n")
    assert "Data from this repository\n  table: src/exp/a.csv" in inside
    assert outside.startswith("  folder: ../other (")
    assert "Allowed though" in outside and "  ../other: the input `folder`\n" in outside
    allowed = dry_run.as_data(plan, None, gathered.repository)["allowed"]
    assert allowed == [{"where": "../other", "what": "the input `folder`"}]

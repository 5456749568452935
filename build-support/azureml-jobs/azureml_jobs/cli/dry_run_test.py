from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.cli import dry_run
from azureml_jobs.conftest import CONTEXT_JOB, JOB, Gathered

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
    return gathered.plan(DATA_JOB, "inputs.epochs=9")


def test_reports_everything_as_data(plan: JobPlan, gathered: Gathered) -> None:
    report = dry_run.as_data(plan, None, gathered.repository)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report) == {
        *("address", "job_file", "destination", "experiment_name", "snapshot", "environment"),
        *("image", "packages", "data", "job", "warnings", "kind", "documents", "notes", "allowed"),
    }
    assert report["kind"] == "command job"
    assert report["documents"] == ["src/exp/azure-ml-job.yaml"]
    assert report["destination"] == {"kind": "local", "folder": ".azureml"}
    assert report["job"]["inputs"]["epochs"] == 9
    assert report["data"] == [
        {"input": "table", "path": "src/exp/a.csv", "size": 4},
        {"input": "folder", "path": "data", "size": 3000},
    ]
    snapshot = report["snapshot"]
    assert snapshot["sha256"] == plan.bundle.unit.snapshot_digest
    assert snapshot["size"] == sum(file["size"] for file in snapshot["files"]) == 22
    assert snapshot["files"][0] == {
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


def test_reports_everything_as_text(plan: JobPlan, gathered: Gathered) -> None:
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
    assert "\n  folder: data (3.0 kB)\n" in text
    assert "\nJob src/exp/azure-ml-job.yaml\n  code: ..\n" in text
    assert "\n    epochs: 9\n" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        pytest.param("azureml:env:1", "Environment azureml:env:1\n", id="registered"),
        pytest.param("{image: x}", "Environment as the job file says\n", id="an image"),
    ],
)
def test_shows_an_environment_without_files(
    gathered: Gathered, environment: str, shown: str
) -> None:
    gathered.add_code()
    plan = gathered.plan(JOB.replace("azureml:env:1", environment))
    assert shown in dry_run.as_text(plan, None, gathered.repository)
    report = dry_run.as_data(plan, None, gathered.repository)
    assert report["environment"] == {"sha256": None, "files": []}


def test_shows_a_job_without_code(gathered: Gathered) -> None:
    plan = gathered.plan("command: nvidia-smi\nenvironment: azureml:e:1\n")
    assert ": 0 files, 0 B\n" in dry_run.as_text(plan, None, gathered.repository)


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


def test_counts_data_behind_a_link(gathered: Gathered, tmp_path: Path) -> None:
    gathered.add_code()
    gathered.write("data/a.csv", "1234")
    (gathered.repository / "data/link.csv").symlink_to("a.csv")
    plan = gathered.plan(
        DATA_JOB.replace("a.csv", "../../data/link.csv").replace(
            "environment: {build: {path: docker}}", "environment: azureml:e:1"
        )
    )
    sizes = [each["size"] for each in dry_run.as_data(plan, None, gathered.repository)["data"]]
    assert sizes == [4, 8]


def test_uses_colours_in_a_terminal(
    plan: JobPlan, gathered: Gathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Terminal())
    assert "\x1b[1mSnapshot\x1b[0m" in dry_run.as_text(plan, None, gathered.repository)

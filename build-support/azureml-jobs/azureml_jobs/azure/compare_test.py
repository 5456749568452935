"""Jobs of the stand-in service next to each other: `jobs diff`, `jobs show`, `jobs compare`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.azure.conftest import JOB, Client
from azureml_jobs.cli import main as cli
from azureml_jobs.protocol import PackagesVenv


def change_line(client: Client) -> None:
    client.gathered.write("src/common/a.py", "A = 2\n")


def change_package(client: Client) -> None:
    client.gathered.locked = "numpy==2.5.0 --hash=sha256:00\n"


@pytest.mark.parametrize(
    ("change", "settings", "expected"),
    [
        pytest.param(change_line, (), {"code": "common/a.py"}, id="one line"),
        pytest.param(change_package, (), {"packages": "numpy"}, id="one package"),
        pytest.param(None, ("inputs.epochs=4",), {"inputs": "epochs"}, id="one input"),
    ],
)
def test_tells_two_jobs_apart(
    client: Client, change: Any, settings: tuple[str, ...], expected: dict[str, str]
) -> None:
    assert client.submit(JOB, "name=first") == 0
    if change:
        change(client)
    assert client.submit(JOB, "name=second", *settings) == 0
    parts = client.read_json("jobs", "diff", "first", "second")["parts"]
    found = {part: [each["name"] for each in changes] for part, changes in parts.items() if changes}
    assert found == {part: [name] for part, name in expected.items()}
    if "code" in expected:
        assert parts["code"][0]["diff"].splitlines()[1:] == ["-A = 1", "+A = 2"]
    # The short form: from the manifests alone, with the job before it found by its target.
    assert client.run_aml("jobs", "show", "second") == 0
    shown = client.printed().out.partition("\ncompared with first, ")[2]
    (line,) = [line for line in shown.partition("\n\n")[0].splitlines() if "in full" not in line][
        1:
    ]
    assert line.split()[0] in expected and expected[line.split()[0]] in line
    assert client.run_aml("jobs", "show", "first") == 0
    assert "other than" not in client.printed().out


def test_tells_a_job_from_one_that_ran_on_this_machine(client: Client, tmp_path: Path) -> None:
    assert client.submit(JOB, "name=there") == 0
    client.gathered.write("src/common/a.py", "A = 2\n")
    client.gathered.venv = PackagesVenv(sys.prefix, "seed")
    client.set(AZUREML_JOBS_EXEC_FILE=str(tmp_path / "command"))
    here = ("--local", "--runtime=venv", "--name=here")
    assert cli.main(["job", "--request", str(client.gathered.request(JOB)), *here]) == 0
    parts = client.read_json("jobs", "diff", "there", "here")["parts"]
    assert [each["name"] for each in parts["code"]] == ["common/a.py"]
    assert [part for part, changes in parts.items() if changes] == ["code"]


def test_compares_many_jobs_by_one_request_for_all_runs(client: Client) -> None:
    for name in ("first", "second", "third"):
        client.submit(JOB, f"name={name}")
    client.service.recording.clear()
    rows = client.read_json("jobs", "compare", "--experiment", "exp")
    assert [row["name"] for row in rows] == ["third", "second", "first"]
    assert len(client.requests("POST", "/batchrundata")) == 1
    assert len(client.requests("GET", "/mlflow/.*/runs/get")) == 3
    assert client.requests("GET", "/jobs/") == []


def test_compares_jobs_whose_values_cannot_be_read(client: Client) -> None:
    for name in ("first", "second"):
        client.submit(JOB, f"name={name}")
    client.add_fault("status", "GET", "/runs/get", times=None, status=403)
    client.printed()
    assert client.run_aml("jobs", "compare", "first", "second", "--json") == 0
    printed = client.printed()
    assert [row["metrics"] for row in json.loads(printed.out)] == [{}, {}]
    assert printed.err.count("warning: parameters and metrics are left out") == 1

"""Test jobs from the command line to their metrics, in the local workspace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from example import EXPERIMENT, JOB
from scratch import Scratch, Terminal, wait_for

SLEEPER_BUILD = """
python_sources(name="lib")
azureml_job(name="job")
"""
SLEEPER_JOB = """
command: python -m sleeper.main ${{inputs.marker}}
code: ..
inputs:
  marker: MARKER
environment: azureml:any@latest
compute: azureml:cpu-cluster
"""
SLEEPER_MAIN = """
import os, signal, subprocess, sys, time
marker = sys.argv[1]
child = subprocess.Popen(["sleep", "61"])
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    with open(marker + ".cleaned", "w") as file:
        file.write("yes")
    raise
"""


@pytest.fixture
def sleeper(scratch: Scratch, tmp_path: Path) -> Iterator[Path]:
    """Make a job that runs for a minute; return the file that it writes when it is interrupted."""
    job_file = SLEEPER_JOB.replace("MARKER", str(tmp_path / "marker"))
    with scratch.changed(
        {
            "src/sleeper/BUILD": SLEEPER_BUILD,
            "src/sleeper/azure-ml-job.yaml": job_file,
            "src/sleeper/main.py": SLEEPER_MAIN,
        }
    ):
        yield tmp_path / "marker.cleaned"


def test_the_example_trains_and_its_metrics_are_shown(scratch: Scratch) -> None:
    before = scratch.job_folders()
    ran = scratch.pants("run", JOB)
    (name,) = set(scratch.job_folders()) - set(before)
    assert f"{name} Completed" in ran.stdout
    (row,) = [row for row in scratch.jobs() if row["name"] == name]
    assert row["status"] == "Completed"
    shown = scratch.json("run", ":aml", "--", "jobs", "show", name, "--json")
    assert shown["metrics"]["accuracy"] > 0.9
    assert len(shown["metric_history"]["train_loss"]) == 60
    assert shown["params"]["epochs"] == "60"
    assert shown["tags"]["purpose"] == "example"
    assert "confusion_matrix.png" in shown["artifacts"]
    assert (Path(shown["outputs"]["model"]) / "model.json").exists()
    log = (scratch.root / ".azureml/jobs" / name / "user_logs/std_log.txt").read_text()
    assert "accuracy" in log and "accuracy" in ran.stdout


def test_a_failed_job_returns_its_own_status_and_shows_its_output_once(scratch: Scratch) -> None:
    failing = "command=python -c 'import sys; print(41 + 1); sys.exit(7)'"
    result = scratch.pants("run", JOB, "--", "--set", failing, status=7)
    newest = scratch.jobs()[0]
    assert (newest["status"], newest["exit_code"]) == ("Failed", 7)
    assert f"{newest['name']}/user_logs/std_log.txt" in result.stderr
    assert result.stdout.splitlines().count("42") == 1


def test_a_dry_run_reports_what_would_be_sent_and_writes_nothing(scratch: Scratch) -> None:
    before = scratch.job_folders()
    report = scratch.json("run", JOB, "--", "--dry-run", "--json")
    assert scratch.job_folders() == before
    assert report["destination"] == {"kind": "local", "folder": ".azureml"}
    files = {file["path"]: file for file in report["snapshot"]["files"]}
    assert files["common/figures.py"]["why"].startswith("imported by src/common/tracking.py:")
    assert files["common/figures.py"]["size"] > 0
    assert report["data"][0]["path"] == f"{EXPERIMENT}/sample-data/wine.csv"
    text = scratch.pants("run", JOB, "--", "--dry-run").stdout
    for path in files:
        assert path in text


@pytest.mark.usefixtures("sleeper")
def test_pants_answers_while_a_job_runs(scratch: Scratch) -> None:
    job = scratch.start("run", "src/sleeper:job")
    try:
        running = wait_for(
            lambda: [row for row in local_records(scratch) if row["status"] == "Running"],
            "a running job",
        )
        begun = time.monotonic()
        assert "src/sleeper:job" in scratch.pants("list", "src/sleeper:").stdout
        assert time.monotonic() - begun < 5
        assert job.poll() is None
        scratch.pants("run", ":aml", "--", "jobs", "cancel", running[0]["name"])
        assert job.wait(timeout=30) == 143
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
    assert scratch.jobs()[0]["status"] == "Canceled"
    assert processes_with("sleep 61") == []


def test_ctrl_c_in_a_terminal_reaches_the_job(scratch: Scratch, sleeper: Path) -> None:
    terminal = Terminal(scratch, "run", "src/sleeper:job")
    terminal.read_until("begun")
    begun = time.monotonic()
    assert "src/sleeper:job" in scratch.pants("list", "src/sleeper:").stdout
    assert time.monotonic() - begun < 5
    terminal.type("\x03")
    assert terminal.status() == 130
    assert sleeper.read_text() == "yes"
    assert scratch.jobs()[0]["status"] == "Canceled"
    assert processes_with("sleep 61") == []
    assert "Traceback (most recent call last)" not in terminal.seen.split("KeyboardInterrupt")[-1]


def test_the_local_script_gets_arguments_and_data(scratch: Scratch) -> None:
    script = (
        "import os, sys\n"
        "from common import tabular\n"
        "print(sys.argv[1:], sorted(os.listdir('../data')), tabular.__name__)\n"
        "sys.exit(5)\n"
    )
    with scratch.changed({f"{EXPERIMENT}/local.py": script}):
        target = f"{EXPERIMENT}:local"
        result = scratch.pants("run", target, "--", "--a b", "é", "", "--help", status=5)
    assert "['--a b', 'é', '', '--help'] ['README.md'] common.tabular" in result.stdout
    assert list((scratch.root / ".azureml/local").iterdir()) == []


def test_the_official_launcher_runs_the_job(scratch: Scratch) -> None:
    # It sources .pants.bootstrap, in a shell whose $0 is the first argument.
    script = 'source ./.pants.bootstrap; exec false "$0" "$@"'
    ran = subprocess.run(
        ["bash", "-euc", script, "run", JOB, "--", "--set", "command=true"],
        cwd=scratch.root,
        env=scratch.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert f"{scratch.jobs()[0]['name']} Completed" in ran.stdout


def local_records(scratch: Scratch) -> list[dict]:
    """Return the records on the disk, without a Pants command."""
    files = (scratch.root / ".azureml/jobs").glob("[!.]*/job.json")
    return [json.loads(file.read_text()) for file in files]


def processes_with(command: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], stdout=subprocess.PIPE, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if line.strip() == command]

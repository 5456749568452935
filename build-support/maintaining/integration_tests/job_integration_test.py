"""Test jobs from the command line to their metrics, in the local workspace."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from example import EXPERIMENT, JOB
from scratch import Scratch, Terminal

SLEEPER = {
    "src/sleeper/BUILD": 'python_sources(name="lib")\nazureml_job(name="job")\n',
    "src/sleeper/azure-ml-job.yaml": """
command: python -m sleeper.main ${{inputs.cleaned}}
code: ..
inputs:
  cleaned: CLEANED
environment: azureml:any@latest
compute: azureml:cpu-cluster
""",
    "src/sleeper/main.py": """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "61"])
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    with open(sys.argv[1], "w") as file:
        file.write("yes")
    raise
""",
}


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


def test_a_dry_run_reports_what_would_be_sent_and_writes_nothing(scratch: Scratch) -> None:
    before = scratch.job_folders()
    report = scratch.json("run", JOB, "--", "--dry-run", "--json")
    assert scratch.job_folders() == before
    assert report["destination"] == {"kind": "local", "folder": ".azureml"}
    files = {file["path"]: file for file in report["snapshot"]["files"]}
    assert files["common/figures.py"]["why"].startswith("imported by src/common/tracking.py:")
    assert files["common/figures.py"]["size"] > 0
    assert report["data"][0]["path"] == f"{EXPERIMENT}/sample-data/wine.csv"


def test_pants_answers_while_a_job_runs_and_ctrl_c_reaches_the_job(
    scratch: Scratch, tmp_path: Path
) -> None:
    cleaned = tmp_path / "cleaned"
    files = {path: text.replace("CLEANED", str(cleaned)) for path, text in SLEEPER.items()}
    with scratch.changed(files):
        terminal = Terminal(scratch, "run", "src/sleeper:job")
        terminal.read_until("begun")
        begun = time.monotonic()
        assert "src/sleeper:job" in scratch.pants("list", "src/sleeper:").stdout
        assert time.monotonic() - begun < 5
        terminal.type("\x03")
        assert terminal.status() == 130
    assert cleaned.read_text() == "yes"
    assert scratch.jobs()[0]["status"] == "Canceled"
    listed = subprocess.run(["ps", "-eo", "args"], stdout=subprocess.PIPE, text=True, check=True)
    assert "sleep 61" not in listed.stdout.splitlines()
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

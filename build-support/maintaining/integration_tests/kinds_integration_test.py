"""Test that users' commands run pipelines and sweeps, here and in Azure ML's stand-in."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from documents import commands_run_by
from example import EXPERIMENT
from scratch import Scratch

PIPELINE, SWEEP = f"{EXPERIMENT}:pipeline", f"{EXPERIMENT}:sweep"
NAME = r"(\S+) Completed in"


@pytest.fixture(scope="module")
def pipeline(scratch: Scratch) -> str:
    """Return the name of the example's pipeline, which has run."""
    printed = [scratch.bash(command).stdout for command in commands_run_by("pipeline")][-1]
    found = re.search(NAME, printed)
    assert found, printed
    return found[1]


def test_an_edit_of_one_step_runs_that_step_alone(scratch: Scratch, pipeline: str) -> None:
    edited = f"{EXPERIMENT}/evaluate.py"
    text = (scratch.root / edited).read_text() + "\n# An edit.\n"
    with scratch.changed({edited: text}):
        printed = scratch.pants("run", PIPELINE).stdout
    assert f"prepare: Completed (reused: {pipeline}_prepare)" in printed
    assert f"train: Completed (reused: {pipeline}_train)" in printed
    assert "evaluate: Running" in printed
    name = re.search(NAME, printed)
    assert name
    shown = scratch.json("run", ":aml", "--", "jobs", "show", name[1], "--json")
    assert [(step["step"], step["status"]) for step in shown["children"]] == [
        (step, "Completed") for step in ("prepare", "train", "evaluate")
    ]
    scores = json.loads(Path(shown["outputs"]["scores"], "scores.json").read_text())
    assert scores["accuracy"] > 0.9


def test_a_sweep_names_its_best_trial(scratch: Scratch) -> None:
    limits = ("limits.max_total_trials=2", "search_space.epochs.values=[5]")
    settings = [part for limit in limits for part in ("--set", limit)]
    printed = scratch.pants("run", SWEEP, "--", *settings).stdout
    best = re.search(r"^The best trial is (\S+), validation_loss (\S+)\.$", printed, re.MULTILINE)
    assert best, printed
    shown = scratch.json("run", ":aml", "--", "jobs", "show", best[1], "--json")
    assert shown["status"] == "Completed" and shown["parent"] == best[1].rpartition("_")[0]


def test_a_pipeline_and_a_sweep_are_submitted(scratch: Scratch, pipeline: str) -> None:
    (command,) = commands_run_by("test_a_pipeline_and_a_sweep_are_submitted")
    record = json.loads((scratch.root / f".azureml/jobs/{pipeline}_train/job.json").read_text())
    sweep = f"./pants run {SWEEP} -- --stream --set limits.max_total_trials=2"
    # The packages that are there: installing them is tested with the job.
    service = f"./pants run :aml -- service --python {shlex.quote(record['python'])}"
    script = f"{command} && {sweep} && ./pants run :aml -- jobs list"
    printed = scratch.bash(f"{service} -- bash -c {shlex.quote(script)}").stdout
    for line in ("[prepare] training: 124 rows", "[evaluate] Completed", "[1] Completed"):
        assert line in printed.splitlines(), printed
    names = re.findall(r"^(\S+) submitted to standin-workspace", printed, re.MULTILINE)
    for name in names:
        assert re.search(rf"^{name} +Completed", printed, re.MULTILINE), printed
    assert len(names) == 2

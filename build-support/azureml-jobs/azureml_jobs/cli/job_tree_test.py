"""`:aml -- jobs …` on a recorded pipeline, whose steps are a sweep, a pipeline and commands."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.typed_json import write_data
from azureml_jobs.cli import aml
from azureml_jobs.local.create_command import Place
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.workspace import LocalWorkspace

STEP = {"type": "command", "command": "ls", "environment": "azureml:e:1"}
NESTED = {"type": "pipeline", "jobs": {"fit": STEP, "late": STEP}}
SWEEP = {"type": "sweep", "trial": STEP, "search_space": {}}
PIPELINE = {
    "type": "pipeline",
    "jobs": {"tune": SWEEP, "inner": {"type": "pipeline", "component": "inner.yml"}, "prep": STEP},
}
OBJECTIVE = {"goal": "minimize", "primary_metric": "loss"}


class Tree:
    def __init__(self, repository: Path) -> None:
        self.workspace = LocalWorkspace(repository / ".azureml")
        self.count = 0

    def add(self, name: str, status: str = "Completed", log: str = "", **known: Any) -> JobFolder:
        self.count += 1
        time = f"2024-05-01T10:00:{self.count:02d}.000000+00:00"
        record = JobRecord(
            name,
            status=status,
            **{"experiment_name": "exp", **known},
            created=time,
            started=time,
            ended=time.replace(".0", ".5") if status in ("Completed", "Failed") else None,
        )
        folder = self.workspace.new_job(name, lambda temporary, final: record, name)
        folder.log.parent.mkdir()
        folder.log.write_text(log)
        return folder

    def child(self, parent: str, step: str, **known: Any) -> JobFolder:
        return self.add(f"{parent}_{step}", parent=parent, root="p", step=step, **known)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.chdir(tmp_path)
    tree = Tree(tmp_path)
    root = tree.add("p", "Failed", "12:00 tune: Running\n", kind="pipeline", exit_code=3)
    documents = {"exp/job.yml": PIPELINE, "exp/inner.yml": NESTED}
    plan = RunPlan("src/x:p", "exp/job.yml", "exp", str(tmp_path), documents, {})
    write_data(root.run_plan, plan)
    tree.child("p", "prep", reused="old_prep", outputs={"data": str(tmp_path / "old/data")})
    (tmp_path / "old/data").mkdir(parents=True)
    (tmp_path / "old/data/a.csv").write_text("1\n")
    tree.child("p", "tune", kind="sweep", objective=OBJECTIVE, best_trial="p_tune_1")
    store = MlflowStore(tree.workspace.mlruns)
    for number in range(7):
        trial = tree.child(
            "p_tune", str(number), log=f"{number}\n", parameters={"lr": number / 8, "seed": 1}
        )
        run = store.create_run(store.ensure_experiment("exp"), trial.name, "", {}, "2024-05-01")
        (run / "metrics/loss").write_text(f"1 {0.1 if number == 1 else 0.5} 0\n2 0.9 1\n")
    tree.child("p", "inner", kind="pipeline")
    fit = tree.child("p_inner", "fit", status="Failed", log="half a line", outputs={"m": "/there"})
    (fit.outputs / "m").mkdir(parents=True)
    (fit.outputs / "m/model.bin").write_text("m")
    # Neither a child, nor one of this job.
    tree.add("p_other")
    return tree


def run_jobs(*arguments: str) -> int:
    return aml.run_aml(["--repository", os.getcwd(), "jobs", *arguments])


def test_lists_jobs_as_trees_without_most_of_the_trials(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_jobs("list") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    column = header.index("status")
    assert [line[:column].rstrip() for line in lines] == [
        *("p_other", "p", "  prep", "  tune"),
        *(f"    {number}" for number in range(5)),
        *("    … 2 more trials", "  inner", "    fit"),
    ]
    assert "has outputs of old_prep" in lines[2]
    tree.add("elsewhere", experiment_name="other")
    for experiment, names in (("other", ["elsewhere"]), ("exp", ["p_other", "p"]), ("no", [])):
        run_jobs("list", "--json", "--experiment", experiment)
        assert [row["name"] for row in json.loads(capsys.readouterr().out)] == names
    run_jobs("archive", "p")
    capsys.readouterr()
    run_jobs("list", "--json")
    listed = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert listed == ["elsewhere", "p_other"]


def test_shows_the_steps_of_a_pipeline_in_their_order(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_jobs("show", "p") == 0
    shown = capsys.readouterr().out
    table = shown.partition("step ")[2].partition("\n\n")[0]
    steps = [line.split() for line in table.splitlines()[1:]]
    assert [step[:2] for step in steps] == [
        ["tune", "Completed"],
        *(([str(number), "Completed"]) for number in range(5)),
        ["…", "2"],
        ["inner", "Completed"],
        ["fit", "Failed"],
        # It was never started.
        ["late", "NotStarted"],
        ["prep", "Completed"],
    ]
    assert steps[0][-1] == "p_tune"


def test_shows_the_trials_of_a_sweep_with_the_best_one(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_jobs("show", "p", "--step", "tune") == 0
    whole = capsys.readouterr().out
    assert "\nmetrics of p_tune_1, the best trial\n  loss  0.9  ▁█\n" in whole
    shown = whole.partition("\ntrial ")[2].partition("\n\n")[0].splitlines()
    assert shown[0].split() == ["status", "loss", "lr", "seed", "duration"]
    assert shown[2].split() == ["p_tune_1", "*", "Completed", "0.1", "0.125", "1", "0.5", "s"]
    assert len(shown) == 8
    assert run_jobs("show", "p", "--step", "tune/3") == 0
    trial = capsys.readouterr().out
    assert "  part of     p_tune\n" in trial
    assert "\nparameters\n  lr    0.375\n  seed  1\n" in trial


def test_streams_a_job_with_those_that_it_started(
    tree: Tree, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run_jobs("stream", "p") == 3
    assert capfdbinary.readouterr().out.decode().splitlines() == [
        "12:00 tune: Running",
        *(f"[tune/{number}] {number}" for number in range(7)),
        "[inner/fit] half a line",
    ]
    run_jobs("stream", "p", "--step", "inner/fit")
    assert capfdbinary.readouterr().out == b"half a line"


def test_prints_the_logs_so_far_or_their_last_lines(
    tree: Tree, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = tree.add("going", "Running", log="one\n1 %\r2 %\r3 %\ntwo")
    folder.save(replace(folder.read(), host=socket.gethostname(), pid=os.getpid()))
    assert run_jobs("logs", "going") == 0
    assert capfdbinary.readouterr().out == b"one\n1 %\r2 %\r3 %\ntwo"
    # The updates of a progress bar are one line.
    assert run_jobs("logs", "going", "--tail", "2") == 0
    assert capfdbinary.readouterr().out == b"1 %\r2 %\r3 %\ntwo"
    assert run_jobs("logs", "p", "--tail", "2") == 0
    assert capfdbinary.readouterr().out == b"[tune/6] 6\n[inner/fit] half a line\n"


def test_downloads_a_job_with_those_that_it_started(tree: Tree, tmp_path: Path) -> None:
    assert run_jobs("download", "p", "--path", "all") == 0
    files = {str(path.relative_to(tmp_path / "all")) for path in (tmp_path / "all").rglob("*")}
    assert {
        "artifacts/user_logs/std_log.txt",
        "steps/prep/named-outputs/data/a.csv",
        "steps/tune/steps/3/artifacts/user_logs/std_log.txt",
        "steps/inner/steps/fit/named-outputs/m/model.bin",
    } <= files
    assert run_jobs("download", "p", "--step", "inner/fit", "--output-name", "m") == 0
    assert (
        tmp_path / ".azureml/downloads/p_inner_fit/named-outputs/m/model.bin"
    ).read_text() == "m"


def test_finds_steps_whose_names_had_to_be_shortened(tree: Tree) -> None:
    root = "long-" * 47
    tree.add(root, kind="pipeline", exit_code=0)
    name = Place(root, root, "a_step").name
    tree.add(name, parent=root, root=root, step="a_step")
    assert not name.startswith(f"{root}_")
    assert run_jobs("show", root, "--step", "a_step") == 0


def test_names_the_steps_for_an_unknown_one(tree: Tree) -> None:
    with pytest.raises(JobError) as caught:
        run_jobs("show", "p", "--step", "prepare")
    assert str(caught.value) == "p: the job has no step `prepare`.\n\nDid you mean `prep`?"
    with pytest.raises(JobError, match="p: the step `inner/late` has not started"):
        run_jobs("stream", "p", "--step", "inner/late")


def test_a_pipeline_inside_of_another_is_canceled_with_that(tree: Tree) -> None:
    for name in ("p", "p_inner"):
        folder = tree.workspace.job(name)
        record = folder.read()
        record.status, record.ended, record.pid = "Running", None, 1
        folder.save(record)
    with pytest.raises(JobError, match="jobs cancel p`"):
        run_jobs("cancel", "p_inner")


def test_compares_the_trials_of_a_sweep(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_jobs("compare", "p_tune", "--sort-by", "loss") == 0
    header, best, *others, last = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert last == ["In", "all:", "seed=1"]
    assert header == ["name", "status", "lr", "loss", "duration"]
    assert best[:4] == ["p_tune_0", "Completed", "0", "0.9"]
    assert len(others) == 6
    assert run_jobs("compare", "p_other", "--experiment", "exp", "--json") == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["p_other", "p"]
    assert run_jobs("compare", "p_tune_1", "p_prep", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["name"], first["params"], first["metrics"]) == (
        "p_tune_1",
        {"lr": 0.125, "seed": 1},
        {"loss": 0.9},
    )
    assert (second["name"], second["metrics"]) == ("p_prep", {})


def test_plots_a_metric_of_all_trials(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What is given to the script that draws; a whole run draws.
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ncat > '{tmp_path}/given'\n")
    python.chmod(0o755)
    # As where the first thing in it is a plot of jobs in Azure.
    (tmp_path / ".azureml").chmod(0o755)
    plot = ("--plot-prefix", str(tmp_path / "venv"), "jobs", "compare", "p_tune")
    assert aml.run_aml(["--repository", os.getcwd(), *plot, "--plot", "loss"]) == 0
    *_, header, first, second, third, fourth, _, _, _, path = capsys.readouterr().out.splitlines()
    assert (header.split(), path) == (["loss"], ".azureml/downloads/loss.png")
    assert (tmp_path / ".azureml").stat().st_mode & 0o777 == 0o700
    assert first.split() == ["p_tune_0", "lr=0", "▁█", "0.9"]
    given = json.loads((tmp_path / "given").read_text())
    assert (given["axis"], given["path"]) == ("step", f"{tmp_path}/{path}")
    assert given["curves"][1] == {"label": "p_tune_1  lr=0.125", "x": [0, 1], "y": [0.1, 0.9]}
    python.write_text("#!/bin/sh\necho no matplotlib >&2; exit 1\n")
    with pytest.raises(OutsideError, match="could not be drawn: no matplotlib"):
        aml.run_aml(["--repository", os.getcwd(), *plot, "--plot", "loss"])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("p_prep",), "there is nothing to compare it with"),
        (("p_tune", "--sort-by", "los"), "--sort-by: none of these jobs has the metric `los`"),
        (("p_tune", "--plot", "los"), "--plot: none of these jobs has the metric `los`"),
        (("--experiment", "no"), "no: there is nothing to compare it with"),
        ((), "jobs compare: there is nothing to compare it with"),
    ],
)
def test_says_why_jobs_cannot_be_compared(
    tree: Tree, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(JobError, match=message):
        run_jobs("compare", *arguments)

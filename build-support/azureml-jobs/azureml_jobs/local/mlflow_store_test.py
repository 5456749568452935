"""The store of MLflow runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.local.mlflow_store import MlflowStore, RunData

# mlflow/entities/run_status.py
RUNNING, FINISHED, FAILED, KILLED = 1, 3, 4, 5
START = "2026-01-02T03:04:05.678000+00:00"
END = "2026-01-02T04:04:05.678000+00:00"


@pytest.fixture
def store(tmp_path: Path) -> MlflowStore:
    return MlflowStore(tmp_path / "a répo" / ".azureml" / "mlruns")


def new_run(store: MlflowStore, run_id: str = "job-1") -> Path:
    experiment = store.ensure_experiment("exp é")
    tags = {"team": "a", "odd/../key": "x"}
    return store.create_run(experiment, run_id, "a name", tags, START)


def test_an_experiment_is_created_once_found_and_restored(store: MlflowStore) -> None:
    first = store.ensure_experiment("a: 'b' #é")
    assert first == store.ensure_experiment("a: 'b' #é") != store.ensure_experiment("another")
    assert [path for path in store.root.parent.iterdir() if path != store.root] == []
    # One that MLflow itself created.
    (store.root / "123").mkdir()
    (store.root / "123" / "meta.yaml").write_text("experiment_id: '123'\nname: exp\n")
    assert store.ensure_experiment("exp") == "123"
    # One that was deleted in its page.
    (store.root / ".trash").mkdir()
    (store.root / first).rename(store.root / ".trash" / first)
    assert store.ensure_experiment("a: 'b' #é") == first
    assert "lifecycle_stage: active" in (store.root / first / "meta.yaml").read_text()
    assert store.read_run("none") == RunData()
    store.finish_run("none", "Completed", END)


def test_processes_that_create_one_experiment_at_once_agree(store: MlflowStore, jobs: Any) -> None:
    code = (
        "import pathlib, sys; from azureml_jobs.local.mlflow_store import MlflowStore;"
        "print(MlflowStore(pathlib.Path(sys.argv[1])).ensure_experiment('x'))"
    )
    processes = [jobs.python(code, store.root) for _ in range(4)]
    ids = {process.communicate()[0].decode().strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert ids == {store.ensure_experiment("x")}


def test_reads_what_was_logged(store: MlflowStore) -> None:
    run = new_run(store)
    (run / "metrics" / "a").mkdir()
    (run / "metrics" / "a" / "b").write_text("10 1.5 2\n11 1.0 0\n12 2.5 2 data 1f\n13 7")
    (run / "metrics" / "nan").write_text("10 nan 0\n")
    (run / "metrics" / "begun").write_text("")
    (run / "params" / "text").write_text("a\nb é")
    data = store.read_run("job-1")
    assert data.history["a/b"] == [(2, 10, 1.5), (0, 11, 1.0), (2, 12, 2.5), (0, 13, 7.0)]
    assert data.metrics["a/b"] == 2.5
    assert math.isnan(data.metrics["nan"])
    assert "begun" not in data.metrics
    assert data.params == {"text": "a\nb é"}
    assert data.tags["team"] == "a" and data.tags["mlflow.runName"] == "a name"


@pytest.mark.parametrize(
    "recorded, status, kept",
    [
        (RUNNING, "Completed", FINISHED),
        (RUNNING, "Failed", FAILED),
        (RUNNING, "Canceled", KILLED),
        (FAILED, "Completed", FAILED),
        (KILLED, "Failed", KILLED),
        (FINISHED, "Failed", FAILED),
    ],
    ids=["completed", "failed", "canceled", "own failure", "own kill", "success of a failed job"],
)
def test_sets_the_final_status_of_a_run(
    store: MlflowStore, recorded: int, status: str, kept: int
) -> None:
    meta = new_run(store) / "meta.yaml"
    meta.write_text(meta.read_text().replace("status: 1\n", f"status: {recorded}\n"))
    store.finish_run("job-1", status, END)
    assert f"\nstatus: {kept}\n" in meta.read_text()

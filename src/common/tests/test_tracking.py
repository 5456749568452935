"""Test what is recorded, and in which run."""

from pathlib import Path

import mlflow
import pytest
from common import tracking


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    return tmp_path / "store"


def test_resumes_the_run_that_belongs_to_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    run = mlflow.MlflowClient().create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with tracking.start_run(tags={"purpose": "test"}) as resumed:
        assert resumed.info.run_id == run.info.run_id
    assert mlflow.get_run(run.info.run_id).data.tags["purpose"] == "test"


def test_keeps_the_run_in_a_folder_when_nothing_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    monkeypatch.chdir(tmp_path)
    with tracking.start_run(tags={}) as run:
        mlflow.log_metric("accuracy", 1)
    assert (tmp_path / "mlruns" / "0" / run.info.run_id / "metrics" / "accuracy").is_file()


def test_logs_scores_and_the_confusion_matrix() -> None:
    with tracking.start_run(tags={}) as run:
        scores = tracking.log_classification(["A", "A", "B", "B"], ["A", "A", "B", "C"])
    assert scores["accuracy"] == 0.75
    assert mlflow.get_run(run.info.run_id).data.metrics == scores
    artifacts = [item.path for item in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
    assert artifacts == ["confusion_matrix.png"]

"""Test what the job logs and writes, and what `local.py` prints."""

import json
from pathlib import Path

import mlflow
import pytest
from example_experiment import local, main
from example_experiment.model import SoftmaxRegression


def test_the_job_logs_its_run_and_writes_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    # As in a job, the run exists before the code starts.
    client = mlflow.MlflowClient()
    run_id = client.create_run("0").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    output = tmp_path / "model"

    main.main(
        [
            *("--training-data", str(local.SAMPLE)),
            *("--epochs", "30"),
            *("--learning-rate", "0.4"),
            *("--model-output", str(output)),
        ]
    )

    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"epochs": "30", "learning_rate": "0.4", "seed": "1"}
    assert run.data.tags["dataset"] == "wine.csv"
    assert run.data.metrics["accuracy"] > 0.93
    for name in ("train_loss", "validation_loss"):
        curve = client.get_metric_history(run_id, name)
        assert [point.step for point in curve] == list(range(1, 31))
        assert curve[-1].value < curve[0].value
    assert [item.path for item in client.list_artifacts(run_id)] == ["confusion_matrix.png"]

    scores = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    assert scores == {name: run.data.metrics[name] for name in ("accuracy", "macro_f1")}
    assert SoftmaxRegression.load(output).classes == ["A", "B", "C"]
    assert f"accuracy {scores['accuracy']:.3f}" in capsys.readouterr().out


def test_a_local_try_shows_the_losses_and_the_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    local.main(["--epochs", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["epoch", "train", "validation"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3", "accuracy"]


def test_a_local_try_takes_other_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{i},{'A' if i < 10 else 'B'}\n" for i in range(20))
    data = tmp_path / "own.csv"
    data.write_text("size,cultivar\n" + rows, encoding="utf-8")
    local.main(["--data", str(data)])
    assert "accuracy 1.000 on 6 held-out rows" in capsys.readouterr().out

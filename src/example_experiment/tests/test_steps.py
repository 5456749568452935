"""Test the steps of the pipeline one after the other, as it wires them."""

import json
from pathlib import Path

import pandas as pd
import pytest
from example_experiment import evaluate, local, main, prepare


def test_the_steps_train_and_evaluate_on_rows_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    tables, model, scores = (tmp_path / name for name in ("tables", "model", "scores"))

    prepare.main(["--data", str(local.SAMPLE), "--held-out", "0.2", "--output", str(tables)])
    main.main(["--training-data", str(tables / "training.csv"), "--model-output", str(model)])
    held_out = tables / "held-out.csv"
    evaluate.main(["--model", str(model), "--data", str(held_out), "--output", str(scores)])

    parts = [pd.read_csv(tables / f"{name}.csv") for name in ("training", "held-out")]
    assert [len(part) for part in parts] == [142, 36]
    # No row is in both.
    assert not pd.concat(parts).duplicated().any()
    assert json.loads((scores / "scores.json").read_text(encoding="utf-8"))["accuracy"] > 0.9

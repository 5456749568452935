"""MLflow itself reads and writes the store of runs."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.local.mlflow_store import MlflowStore

LOG = """
import json, math, mlflow
with mlflow.start_run() as run:
    mlflow.log_param("depth", 3)
    for step in range(3):
        mlflow.log_metric("loss/train", 1 / (step + 1), step=step)
    mlflow.log_metric("nan", math.nan)
    mlflow.set_tag("mine", "v")
    mlflow.log_text("hello", "sub/a b.txt")
    client = mlflow.MlflowClient()
    for content in ("old", "new"):
        open("weights.txt", "w").write(content)
        model = mlflow.initialize_logged_model("a model", source_run_id=run.info.run_id)
        client.log_model_artifact(model.model_id, "weights.txt")
    mlflow.initialize_logged_model("a model", source_run_id="another")
found = mlflow.MlflowClient().search_runs([run.info.experiment_id], "params.depth = '3'")
read = found[0]
print(json.dumps({
    "found": [each.info.run_id for each in found],
    "name": read.info.run_name,
    "status": read.info.status,
    "tag": read.data.tags["team"],
    "start": read.info.start_time,
    "experiment": mlflow.get_experiment(run.info.experiment_id).name,
    "default": mlflow.get_experiment("0").name,
    "by name": mlflow.get_experiment_by_name("exp é").experiment_id,
}))
"""


def test_mlflow_resumes_the_run_and_finds_it(tmp_path: Path, jobs: Any) -> None:
    store = MlflowStore(tmp_path / "a répo" / ".azureml" / "mlruns")
    experiment = store.ensure_experiment("exp é")
    run = store.create_run(
        experiment, "job-1", "a name", {"team": "a"}, "2026-01-02T03:04:05.678000+00:00"
    )
    environment = {
        **jobs.environment(),
        "MLFLOW_TRACKING_URI": store.root.as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_RUN_ID": "job-1",
        "MLFLOW_EXPERIMENT_NAME": "exp é",
        "MLFLOW_EXPERIMENT_ID": run.parent.name,
    }
    out, _ = jobs.python(LOG, env=environment, cwd=tmp_path).communicate()
    assert json.loads(out.splitlines()[-1]) == {
        "found": ["job-1"],
        "name": "a name",
        "status": "FINISHED",
        "tag": "a",
        "start": 1767323045678,
        "experiment": "exp é",
        "default": "Default",
        "by name": run.parent.name,
    }
    data = store.read_run("job-1")
    assert data.params == {"depth": "3"}
    assert data.metrics["loss/train"] == pytest.approx(1 / 3)
    assert [step for step, _, _ in data.history["loss/train"]] == [0, 1, 2]
    assert math.isnan(data.metrics["nan"])
    assert data.tags["mine"] == "v"
    assert (run / "artifacts" / "sub" / "a b.txt").read_text() == "hello"
    models = store.logged_models("job-1")
    assert list(models)[0] == "a model"
    assert [(each / "weights.txt").read_text() for each in models.values()] == ["new", "old"]
    assert sorted(os.listdir(store.root)) == sorted([".trash", "0", run.parent.name])

"""Names of the example experiment, and a replacement for repositories without it.

The replacement has the example's name, inputs, outputs and metrics.
"""

from __future__ import annotations

from pathlib import Path

EXPERIMENT = "src/example_experiment"
JOB = f"{EXPERIMENT}:job"
JOB_FILE = f"{EXPERIMENT}/azure-ml-job.yaml"
MAIN = f"{EXPERIMENT}/main.py"

FILES = {
    f"{EXPERIMENT}/BUILD": """\
experiment(
    jobs={"pipeline": "pipeline.yaml", "sweep": "sweep.yaml"}, local_files=["sample-data/*.csv"]
)
azureml_component(name="train", source="components/train.yaml")
""",
    f"{EXPERIMENT}/__init__.py": "",
    f"{EXPERIMENT}/azure-ml-job.yaml": """\
type: command
experiment_name: example_experiment
tags:
  purpose: example
code: ..
command: >-
  python -m example_experiment.main
  --training-data ${{inputs.training_data}}
  --epochs ${{inputs.epochs}}
  --learning-rate ${{inputs.learning_rate}}
  --model-output ${{outputs.model}}
inputs:
  training_data:
    type: uri_file
    path: sample-data/wine.csv
  epochs: 60
  learning_rate: 0.5
outputs:
  model:
    type: uri_folder
environment:
  build:
    path: docker
compute: azureml:cpu-cluster
""",
    f"{EXPERIMENT}/components/train.yaml": """\
type: command
name: wine_train
version: 1
code: ../..
command: >-
  python -m example_experiment.main
  --training-data ${{inputs.tables}}/data.csv --epochs 20
  --learning-rate ${{inputs.learning_rate}}
  --model-output ${{outputs.model}}
inputs:
  tables: {type: uri_folder}
  learning_rate: {type: number}
outputs:
  model: {type: uri_folder}
environment: {build: {path: ../docker}}
""",
    f"{EXPERIMENT}/pipeline.yaml": """\
type: pipeline
experiment_name: example_experiment
settings: {default_compute: azureml:cpu-cluster}
inputs:
  data: {type: uri_file, path: sample-data/wine.csv}
  learning_rate: 0.5
outputs:
  scores: {type: uri_folder}
jobs:
  prepare:
    command: cp ${{inputs.data}} ${{outputs.tables}}/data.csv
    environment: {build: {path: docker}}
    inputs: {data: "${{parent.inputs.data}}"}
    outputs: {tables: {type: uri_folder}}
  train:
    component: ./components/train.yaml
    inputs:
      tables: ${{parent.jobs.prepare.outputs.tables}}
      learning_rate: ${{parent.inputs.learning_rate}}
  evaluate:
    command: cp ${{inputs.model}}/model.json ${{outputs.scores}}/scores.json
    environment: {build: {path: docker}}
    inputs: {model: "${{parent.jobs.train.outputs.model}}"}
    outputs: {scores: "${{parent.outputs.scores}}"}
""",
    f"{EXPERIMENT}/sweep.yaml": """\
type: sweep
experiment_name: example_experiment
trial:
  code: ..
  command: >-
    python -m example_experiment.main --training-data ${{inputs.data}} --model-output outputs
    --epochs ${{search_space.epochs}} --learning-rate ${{search_space.learning_rate}}
  environment: {build: {path: docker}}
inputs:
  data: {type: uri_file, path: sample-data/wine.csv}
sampling_algorithm: random
search_space:
  learning_rate: {type: loguniform, min_value: -5, max_value: 0}
  epochs: {type: choice, values: [20, 60]}
objective: {goal: minimize, primary_metric: train_loss}
limits: {max_total_trials: 8, max_concurrent_trials: 4}
compute: azureml:cpu-cluster
""",
    f"{EXPERIMENT}/main.py": '''\
"""Fit a logistic curve and log how it goes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import mlflow
from common import tabular, tracking
from example_experiment import model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--training-data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--model-output", type=Path, required=True)
    args = parser.parse_args()
    x, y = tabular.columns(args.training_data)
    with tracking.start_run(tags={"model": "logistic"}):
        mlflow.log_params({"epochs": args.epochs})
        weights = (0.0, 0.0)
        for epoch in range(1, args.epochs + 1):
            weights, loss = model.step(weights, x, y, args.learning_rate)
            mlflow.log_metric("train_loss", loss, step=epoch)
        scores = tracking.log_classification(
            [str(each) for each in y], [str(each) for each in model.predict(weights, x)]
        )
    args.model_output.mkdir(parents=True, exist_ok=True)
    (args.model_output / "model.json").write_text(json.dumps(weights))
    print(f"accuracy {scores['accuracy']:.3f}")


if __name__ == "__main__":
    main()
''',
    f"{EXPERIMENT}/model.py": '''\
"""A logistic curve."""

from __future__ import annotations

import numpy as np


def step(
    weights: tuple[float, float], x: np.ndarray, y: np.ndarray, rate: float
) -> tuple[tuple[float, float], float]:
    """Return the weights after one step of gradient descent, and the loss before it."""
    slope, offset = weights
    p = 1 / (1 + np.exp(-(slope * x + offset)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    slope -= rate * float(np.mean((p - y) * x))
    return (slope, offset - rate * float(np.mean(p - y))), float(loss)


def predict(weights: tuple[float, float], x: np.ndarray) -> np.ndarray:
    return (weights[0] * x + weights[1] > 0).astype(int)
''',
    f"{EXPERIMENT}/local.py": '''\
"""Try the model without a job."""

import argparse
from pathlib import Path

from common import tabular
from example_experiment import model

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
args = parser.parse_args()
x, y = tabular.columns(Path(__file__).parent / "sample-data/wine.csv")
weights = (0.0, 0.0)
for _ in range(args.epochs):
    weights, _ = model.step(weights, x, y, 0.5)
print(f"accuracy {(model.predict(weights, x) == y).mean():.3f}")
''',
    f"{EXPERIMENT}/sample-data/wine.csv": "x,y\n"
    + "".join(f"{x / 10},{int(x > 0)}\n" for x in range(-30, 31) if abs(x) > 4)
    # One that no curve predicts.
    + "3.1,0\n",
    f"{EXPERIMENT}/tests/__init__.py": "",
    f"{EXPERIMENT}/tests/test_main.py": """\
from pathlib import Path

import pytest
from common import tabular
from example_experiment import main, model


def test_the_job_asks_for_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["main.py"])
    with pytest.raises(SystemExit):
        main.main()


def test_a_step_lowers_the_loss() -> None:
    x, y = tabular.columns(Path(__file__).parents[1] / "sample-data/wine.csv")
    weights, before = model.step((0.0, 0.0), x, y, 0.5)
    assert model.step(weights, x, y, 0.5)[1] < before
""",
    "src/common/tabular.py": '''\
"""Read tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def columns(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the two columns of a CSV file with a header."""
    x, y = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    return x, y.astype(int)
''',
}


def write_replacement(root: Path) -> None:
    """Write the replacement when there is no example, with the Dockerfile of the template."""
    if (root / EXPERIMENT).exists():
        return
    dockerfile = root / "build-support/experiment-template/docker/Dockerfile.template"
    files = {**FILES, f"{EXPERIMENT}/docker/Dockerfile": dockerfile.read_text(encoding="utf-8")}
    for name, text in files.items():
        path = root / name
        # Shared code that still exists is the repository's own.
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

"""Record a training run with MLflow, with the same calls on a laptop and in Azure ML."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import mlflow
import numpy as np
from common import figures
from sklearn import metrics

if TYPE_CHECKING:
    # MLflow finds this plugin by itself; the import only adds its package to the environment.
    import azureml.mlflow  # noqa: F401


def start_run(tags: Mapping[str, str]) -> mlflow.ActiveRun:
    """Resume the run that belongs to this job, or start a new one. Use it in a `with` statement.

    A job has its run in `MLFLOW_RUN_ID`, and its server in `MLFLOW_TRACKING_URI`. When neither is
    set, a new run goes to the folder `mlruns`.
    """
    if not mlflow.is_tracking_uri_set():
        # MLflow's default is a SQLite file, which mlflow-skinny cannot open.
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        os.environ["MLFLOW_TRACKING_URI"] = "mlruns"
    run = mlflow.start_run()
    mlflow.set_tags(dict(tags))
    return run


def log_classification(truth: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """Log how good the predicted classes are, under the same names in every experiment.

    Logs and returns `accuracy` and `macro_f1`, and logs the figure `confusion_matrix.png`.
    """
    scores = {
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "macro_f1": float(metrics.f1_score(truth, predicted, average="macro")),
    }
    mlflow.log_metrics(scores)
    classes = sorted({*truth, *predicted})
    counts: np.ndarray = metrics.confusion_matrix(truth, predicted, labels=classes)
    mlflow.log_figure(figures.confusion_matrix(counts, classes), "confusion_matrix.png")
    return scores

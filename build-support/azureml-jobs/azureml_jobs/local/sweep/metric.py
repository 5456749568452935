"""How good a trial is: the best value of the sweep's metric that it logged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from azureml_jobs.jobfile.sweep.read import is_maximized
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore


def trial_metric(folder: JobFolder, objective: Mapping[str, Any]) -> float | None:
    """Return the best value so far of the trial in `folder`, None when it has none."""
    values = MlflowStore(folder.mlruns).metric_values(folder.name, objective["primary_metric"])
    numbers = [value for value in values if math.isfinite(value)]
    return (max if is_maximized(objective) else min)(numbers, default=None)

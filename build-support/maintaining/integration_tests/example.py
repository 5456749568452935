"""Names of the example experiment."""

from __future__ import annotations

EXPERIMENT = "src/example_experiment"
JOB = f"{EXPERIMENT}:job"
JOB_FILE = f"{EXPERIMENT}/azure-ml-job.yaml"
MAIN = f"{EXPERIMENT}/main.py"
# Code that fails where MLflow would report to its makers.
MLFLOW_IS_QUIET = """\
from mlflow.telemetry.client import get_telemetry_client

assert get_telemetry_client() is None
"""

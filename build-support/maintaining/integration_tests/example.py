"""Names of the example experiment."""

from __future__ import annotations

EXPERIMENT = "src/example_experiment"
JOB = f"{EXPERIMENT}:job"
JOB_FILE = f"{EXPERIMENT}/azure-ml-job.yaml"
MAIN = f"{EXPERIMENT}/main.py"

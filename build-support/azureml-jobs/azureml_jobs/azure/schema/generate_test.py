from __future__ import annotations

import subprocess
import sys

from azureml_jobs.jobfile.schema.kind import COMPONENT_TYPES, JOB_TYPES, TRANSFER_TASKS
from azureml_jobs.jobfile.schema.validate import PATH, definitions


def test_the_schemas_are_those_of_the_installed_azure_ai_ml() -> None:
    # If not, run `python -m azureml_jobs.azure.schema.generate`, as its docstring says.
    # Another test may have loaded a pipeline, which changes the classes.
    code = "from azureml_jobs.azure.schema.generate import generate; print(generate(), end='')"
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, stdout=-1, check=True)
    assert ran.stdout.decode() == PATH.read_text(encoding="utf-8")


def test_every_kind_has_a_schema() -> None:
    kinds = {f"{name} job" for name in JOB_TYPES}
    kinds |= {f"{name} component" for name in (*COMPONENT_TYPES, *TRANSFER_TASKS)}
    assert kinds <= set(definitions())

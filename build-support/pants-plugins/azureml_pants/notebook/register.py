"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.environment import rules as environment
from azureml_pants.job_tool import rules as job_tool
from azureml_pants.notebook import run
from azureml_pants.notebook.run import AzureMLJupyterTarget


def target_types():
    return [AzureMLJupyterTarget]


def rules():
    return [*code.rules(), *environment.rules(), *job_tool.rules(), *run.rules()]

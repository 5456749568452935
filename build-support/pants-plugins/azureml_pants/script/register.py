"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.environment import rules as environment
from azureml_pants.job_tool import rules as job_tool
from azureml_pants.script import experiment_tests, run
from azureml_pants.script.target_types import (
    AzureMLLocalTarget,
    AzureMLTerminalTarget,
    AzureMLTestTarget,
)


def target_types():
    return [AzureMLLocalTarget, AzureMLTerminalTarget, AzureMLTestTarget]


def rules():
    return [
        *code.rules(),
        *environment.rules(),
        *job_tool.rules(),
        *experiment_tests.rules(),
        *run.rules(),
    ]

"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.environment import rules as environment
from azureml_pants.job import dependencies, inputs, lint, package, run, run_inputs
from azureml_pants.job.target_types import AzureMLComponentTarget, AzureMLJobTarget
from azureml_pants.job_tool import rules as job_tool
from pants.engine.rules import collect_rules


def target_types():
    return [AzureMLComponentTarget, AzureMLJobTarget]


def rules():
    return [
        *code.rules(),
        *environment.rules(),
        *job_tool.rules(),
        *collect_rules(inputs, run_inputs),
        *dependencies.rules(),
        *lint.rules(),
        *package.rules(),
        *run.rules(),
    ]

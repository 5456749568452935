"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.environment import packages
from azureml_pants.job_tool import rules as job_tool
from azureml_pants.workspace import run, why
from azureml_pants.workspace.run import AzureMLWorkspaceTarget
from pants.engine.rules import collect_rules


def target_types():
    return [AzureMLWorkspaceTarget]


def rules():
    return [*job_tool.rules(), *collect_rules(packages, why), *run.rules()]

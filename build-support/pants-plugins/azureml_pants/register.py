"""What Pants loads of this plugin."""

from __future__ import annotations

from azureml_pants.rules import (
    closure,
    docker_images,
    entry_points,
    file_set,
    job_inputs,
    lint_docker,
    lint_job,
    lint_shell,
    new_experiment,
    package_job,
    packages,
    program,
    run_job,
    run_local,
    run_workspace,
    submitter,
    tool,
)
from azureml_pants.target_types import (
    AzureMLJobTarget,
    AzureMLLocalTarget,
    AzureMLWorkspaceTarget,
    FileSetTarget,
    LockedRequirementsTarget,
)


def target_types():
    return [
        AzureMLJobTarget,
        AzureMLLocalTarget,
        AzureMLWorkspaceTarget,
        FileSetTarget,
        LockedRequirementsTarget,
    ]


def rules():
    return [
        *closure.rules(),
        *docker_images.rules(),
        *entry_points.rules(),
        *file_set.rules(),
        *job_inputs.rules(),
        *lint_docker.rules(),
        *lint_job.rules(),
        *lint_shell.rules(),
        *new_experiment.rules(),
        *package_job.rules(),
        *packages.rules(),
        *program.rules(),
        *run_job.rules(),
        *run_local.rules(),
        *run_workspace.rules(),
        *submitter.rules(),
        *tool.rules(),
    ]

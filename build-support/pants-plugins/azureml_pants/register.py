"""What Pants loads of this plugin."""

from __future__ import annotations

from azureml_pants.rules import (
    closure,
    docker_images,
    entry_points,
    environment_files,
    file_set,
    imports,
    job_inputs,
    lint_docker,
    lint_imports,
    lint_job,
    lint_shell,
    new_experiment,
    package_job,
    packages,
    program,
    run_job,
    run_local,
    run_workspace,
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
        *environment_files.rules(),
        *file_set.rules(),
        *imports.rules(),
        *job_inputs.rules(),
        *lint_docker.rules(),
        *lint_imports.rules(),
        *lint_job.rules(),
        *lint_shell.rules(),
        *new_experiment.rules(),
        *package_job.rules(),
        *packages.rules(),
        *program.rules(),
        *run_job.rules(),
        *run_local.rules(),
        *run_workspace.rules(),
        *tool.rules(),
    ]

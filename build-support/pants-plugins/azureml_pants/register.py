"""What Pants loads of this plugin."""

from __future__ import annotations

from azureml_pants.rules import (
    base_images,
    closure,
    debugger,
    docker_images,
    entry_points,
    environment_files,
    file_set,
    imports,
    job_inputs,
    lint_imports,
    lint_job,
    new_experiment,
    package_job,
    packages,
    requirement_files,
    run_job,
    run_jupyter,
    run_script,
    run_workspace,
    runtime,
    stale_locks,
    submitter,
    sync_lockfiles,
    synced_lock,
    tool,
)
from azureml_pants.target_types import (
    AzureMLJobTarget,
    AzureMLJupyterTarget,
    AzureMLLocalTarget,
    AzureMLTerminalTarget,
    AzureMLTestTarget,
    AzureMLWorkspaceTarget,
    FileSetTarget,
    LockedRequirementsTarget,
)


def target_types():
    return [
        AzureMLJobTarget,
        AzureMLJupyterTarget,
        AzureMLLocalTarget,
        AzureMLTerminalTarget,
        AzureMLTestTarget,
        AzureMLWorkspaceTarget,
        FileSetTarget,
        LockedRequirementsTarget,
    ]


def rules():
    return [
        *base_images.rules(),
        *closure.rules(),
        *debugger.rules(),
        *docker_images.rules(),
        *entry_points.rules(),
        *environment_files.rules(),
        *file_set.rules(),
        *imports.rules(),
        *job_inputs.rules(),
        *lint_imports.rules(),
        *lint_job.rules(),
        *new_experiment.rules(),
        *package_job.rules(),
        *packages.rules(),
        *requirement_files.rules(),
        *run_job.rules(),
        *run_jupyter.rules(),
        *run_script.rules(),
        *run_workspace.rules(),
        *runtime.rules(),
        *stale_locks.rules(),
        *submitter.rules(),
        *sync_lockfiles.rules(),
        *synced_lock.rules(),
        *tool.rules(),
    ]

"""Create a job in the local workspace, ready for its runner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import git_state
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.jobfile.expressions import render
from azureml_jobs.local.debugger.debugger import CodeCopy, Debugger
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput, resolve_inputs
from azureml_jobs.local.mounts import container_paths, host_paths, job_container, resource_arguments
from azureml_jobs.local.outputs import ResolvedOutput, resolve_outputs
from azureml_jobs.local.packages_venv import ensure_packages_venv
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.workspace import LocalWorkspace


def create_job(
    plan: JobPlan,
    folder: Path,
    repository: Path,
    runtime: Runtime,
    debugger: Debugger | None = None,
) -> JobFolder:
    """Write the job into the local workspace of `repository`.

    `folder` is the one of the request. Raises `JobError` for code and inputs that this machine does
    not have, before anything is written.
    """
    job, request, code = plan.job, plan.request, plan.bundle.unit.unit.code
    if code.path is None:
        raise JobError(
            code.where,
            f"only Azure ML fetches {job['code']}, and this job runs on this machine",
            "Name a folder of this repository, or let the job run in a workspace.",
        )
    inputs = resolve_inputs(job, repository / request.job_file, repository)
    arguments = [*resource_arguments(job, request.job_file), *request.options.run_arguments]
    python = "" if runtime.image else ensure_packages_venv(plan.bundle.unit.files.venv, folder)
    git = git_state(repository, plan.bundle.sources)

    def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
        outputs = resolve_outputs(job, final)
        container = None
        paths = host_paths(inputs, outputs)
        if runtime.image:
            paths = container_paths(final.name, inputs, outputs)
            container = job_container(final, runtime, inputs, outputs, paths, arguments)
        write_bundle(plan.bundle, git, temporary.bundle, repository, with_data=False)
        record = _record(plan, inputs, outputs, paths)
        record.runtime, record.python = runtime.name, python
        if debugger is not None:
            sources = {file.path: file.source for file in plan.bundle.unit.code}
            code = CodeCopy(final.work, sources, repository)
            record.debugger = debugger.write(temporary.debugger, final.debugger, code, container)
            # Stepping through a job takes longer than the job itself.
            record.timeout = None
        record.container = container.as_data() if container else None
        return record

    stem = f"{plan.experiment_name}-{plan.bundle.unit.snapshot_digest[:8]}"
    named = str(job["name"]) if job.get("name") else None
    return LocalWorkspace(repository / LOCAL_FOLDER).new_job(stem, write, named)


def _record(
    plan: JobPlan,
    inputs: Mapping[str, ResolvedInput],
    outputs: Mapping[str, ResolvedOutput],
    paths: dict[str, str],
) -> JobRecord:
    job = plan.job
    command = render(
        job["command"],
        {name: paths.get(f"inputs.{name}", given.value) for name, given in inputs.items()},
        {name: paths[f"outputs.{name}"] for name in outputs},
        paths=set(paths),
    )
    return JobRecord(
        name="",
        display_name=str(job.get("display_name") or ""),
        experiment_name=plan.experiment_name,
        description=str(job.get("description") or ""),
        address=plan.request.address,
        command=command,
        snapshot=plan.bundle.unit.snapshot_digest,
        tags=_texts(job.get("tags")),
        inputs={
            name: {"kind": given.kind, "value": given.value, "asset": given.asset}
            for name, given in inputs.items()
        },
        outputs={name: str(given.path) for name, given in outputs.items()},
        paths=paths,
        environment_variables=_texts(job.get("environment_variables")),
        timeout=_timeout(job),
    )


def _texts(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (mapping or {}).items()}


def _timeout(job: Mapping[str, Any]) -> float | None:
    limits = job.get("limits")
    timeout = limits.get("timeout") if isinstance(limits, Mapping) else None
    return float(timeout) if timeout else None

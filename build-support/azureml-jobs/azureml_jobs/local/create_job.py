"""Create a job in the local workspace, ready for its runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.typed_json import write_data
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.names import CODE_FOLDER
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance, UsedImage
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.docker.needed_image import NeededImage, needed_image_of
from azureml_jobs.jobfile.expressions import with_two_braces
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.local.create_command import CommandSpec, command_record, described, sweep_record
from azureml_jobs.local.debugger.debugger import CodeCopy, Debugger
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import resolve_inputs
from azureml_jobs.local.pipeline.inputs import with_data
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_environment import ensure_packages_venv
from azureml_jobs.local.run_plan import RunPlan, UnitRun
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.workspace import LocalWorkspace


def plan_run(
    plan: JobPlan, folder: Path, repository: Path, choose: Callable[[NeededImage], Runtime]
) -> RunPlan:
    """Return how the job runs on this machine; `choose` returns the runtime for an image.

    `folder` is the one of the request. Raises `JobError` for code that this machine does not have.
    """
    units = {}
    for unit in plan.bundle.units:
        code = unit.unit.code
        if code.path is None:
            raise JobError(
                code.where,
                "only Azure ML fetches this code, and the job runs on this machine",
                "Name a folder of this repository, or let the job run in a workspace.",
            )
        runtime = choose(needed_image_of(plan.bundle, unit))
        units[unit.unit.name] = UnitRun(
            runtime,
            "" if runtime.image else ensure_packages_venv(unit.files.venv, folder),
            unit.snapshot_digest,
            unit.environment_digest or json.dumps(plan.bundle.environment_of(unit)),
            f"bundle/{unit.folder(CODE_FOLDER)}" if unit.code else "",
            dict(unit.files.unused_modules),
        )
    return RunPlan(
        address=plan.request.address,
        job_file=plan.request.job_file,
        experiment_name=plan.experiment_name,
        repository=str(repository),
        documents=plan.bundle.documents,
        units=units,
        run_arguments=plan.request.options.run_arguments,
    )


def create_job(
    plan: JobPlan, run: RunPlan, provenance: Provenance, debugger: Debugger | None = None
) -> JobFolder:
    """Write the job into the local workspace of the repository.

    Raises `JobError` for inputs that this machine does not have, before anything is written.
    """
    repository = Path(run.repository)
    images = {name: unit.runtime.image for name, unit in run.units.items() if unit.runtime.image}
    used = {name: UsedImage(image.reference, image.id) for name, image in images.items()}
    provenance = replace(provenance, images=used)
    if debugger is not None and not plan.is_command:
        raise JobError(
            run.address,
            f"a debugger reaches jobs of one command only, and this is a {plan.kind.split()[0]}",
            "Run the script by `:local`, or leave `--debug-adapter` out.",
        )
    fill = _FILLERS[plan.kind](plan, run)

    def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
        write_bundle(plan, provenance, temporary.bundle, repository, with_data=False)
        record = fill(temporary, final)
        if debugger is not None:
            sources = {file.path: file.source for file in plan.bundle.unit.code}
            code = CodeCopy(final.work, sources, repository)
            folders = temporary.debugger, final.debugger
            record.debugger = debugger.write(*folders, code, record.container)
            # Stepping through a job takes longer than the job itself.
            record.timeout = None
        return record

    stem = f"{plan.experiment_name}-{plan.bundle.snapshot_digest[:8]}"
    named = str(plan.job["name"]) if plan.job.get("name") else None
    return LocalWorkspace(repository / LOCAL_FOLDER).new_job(stem, write, named)


# Writes what is not in the bundle into the temporary folder, and returns the record for the final.
_Fill = Callable[[JobFolder, JobFolder], JobRecord]


def _command(plan: JobPlan, run: RunPlan) -> _Fill:
    spec = _spec(_with_two_braces(plan.job), plan, run)
    return lambda _, final: command_record(spec, final)


def _sweep(plan: JobPlan, run: RunPlan) -> _Fill:
    job = {**plan.job, "trial": _with_two_braces(plan.job["trial"])}
    read_sweep(job, run.job_file)
    spec = _spec(job, plan, run)

    def fill(temporary: JobFolder, final: JobFolder) -> JobRecord:
        write_data(temporary.run_plan, run)
        return sweep_record(spec, temporary, final.name)

    return fill


def _pipeline(plan: JobPlan, run: RunPlan) -> _Fill:
    run, inputs = with_data(run)

    def fill(temporary: JobFolder, final: JobFolder) -> JobRecord:
        write_data(temporary.run_plan, run)
        return JobRecord(
            **described(plan.job),
            name=final.name,
            kind="pipeline",
            experiment_name=run.experiment_name,
            address=run.address,
            inputs=inputs,
            code="",
        )

    return fill


_FILLERS = {"command job": _command, "pipeline job": _pipeline, "sweep job": _sweep}


def _with_two_braces(node: Mapping[str, Any]) -> dict[str, Any]:
    return {**node, "command": with_two_braces(node["command"])}


def _spec(job: Mapping[str, Any], plan: JobPlan, run: RunPlan) -> CommandSpec:
    repository = Path(run.repository)
    return CommandSpec(
        job,
        run.job_file,
        run.units[plan.bundle.unit.unit.name],
        resolve_inputs(plan.job, repository / run.job_file, repository),
        run.experiment_name,
        run.address,
        arguments=run.run_arguments,
    )

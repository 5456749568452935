"""Run `./pants run src/X:job -- …`: submit a job, run it on this machine, or do a dry run."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from azureml_jobs.azure.submission import SubmitOptions
from azureml_jobs.base.console import print_json, print_warning
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace, configured_workspace
from azureml_jobs.bundle.guard import check_clean_tree
from azureml_jobs.bundle.plan import JobPlan, plan_job
from azureml_jobs.bundle.provenance import Provenance, made_here, provenance_of, state_of
from azureml_jobs.cli.job_parser import parse_job_options
from azureml_jobs.cli.options import as_settings, split_request
from azureml_jobs.docker.pushable_image import PushableImage, image_stays_here, pushable_images
from azureml_jobs.jobfile.schema.kind import azure_only_parts, has_sweep
from azureml_jobs.jobfile.sweep.read import SEEDS
from azureml_jobs.local.create_job import create_job, plan_run
from azureml_jobs.local.inputs import missing_inputs
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.runtimes import RuntimeChoice
from azureml_jobs.protocol import DebuggerOptions


def run_job(arguments: Sequence[str]) -> int:
    """Plan the job, and submit it, run it here or print it, as its options say."""
    request, given = split_request(arguments)
    options = parse_job_options(given, request)
    repository = Path.cwd()
    workspace = None if options.local else configured_workspace(repository, options.profile)
    check_clean_tree(workspace, repository)
    settings = [*options.settings, *as_settings(options)]
    plan = plan_job(request, repository, settings, allow=options.allow)
    if workspace is None and not (options.dry_run or plan.is_component):
        check_runs_here(plan)
    if workspace is not None:
        from azureml_jobs.jobfile.pipeline.checks import check_computes

        check_computes(plan.bundle.documents, plan.request.job_file)
    if options.image and workspace is None:
        raise image_stays_here("" if options.local else f": {CONFIG_FILE} names no workspace")
    images = pushable_images(plan, os.environ) if options.image else {}
    options.seed = _seed(plan, workspace, options)
    if options.dry_run and not options.same_as:
        return _print_dry_run(plan, workspace, images, repository, options.json)
    made = replace(made_here(repository, plan.request.address, given), seed=options.seed)
    provenance = provenance_of(plan, repository, made)
    if options.same_as:
        from azureml_jobs.cli.same_as import check_same

        check_same(plan, provenance, options.same_as, None if workspace is None else images)
        if options.dry_run:
            return 0
    if workspace is None:
        return _run_here(plan, provenance, request.parent, repository, options)
    if DebuggerOptions.of(request.parent):
        raise JobError(
            plan.request.address,
            "a debugger reaches jobs on this machine only, and this one goes to Azure ML",
            "Add `--local` after `--`, or leave `--debug-adapter` out.",
        )
    # What a submission uploads; anything else is looked up in the workspace.
    for error in missing_data(plan, repository):
        raise error
    return _submit(plan, provenance, workspace, images, request.parent, options)


def _seed(
    plan: JobPlan, workspace: AzureWorkspace | None, options: argparse.Namespace
) -> int | None:
    """Return what the sweeps of a job on this machine sample with, None for any other job."""
    if workspace is None and has_sweep(plan.bundle.documents):
        return secrets.choice(SEEDS) if options.seed is None else options.seed
    if options.seed is not None:
        raise JobError(
            "--seed",
            "only a sweep on this machine samples with it",
            "Leave it out, or write `seed:` in the `sampling_algorithm` of the job file.",
        )
    return None


def check_runs_here(plan: JobPlan) -> None:
    """Raise `JobError` for a kind of job, or a step, that this machine does not run."""
    job_file = plan.request.job_file
    parts = azure_only_parts(plan.bundle.documents, job_file)
    if parts:
        named = (kind if where == job_file else f"{where} ({kind})" for where, kind in parts)
        raise JobError(
            job_file,
            f"only Azure ML runs this: {', '.join(named)}",
            f"Name a workspace in {CONFIG_FILE}, and run the same command again.",
        )


def missing_data(plan: JobPlan, repository: Path) -> list[JobError]:
    """Return an error for each input whose local path does not exist."""
    job_file = repository / plan.request.job_file
    if plan.is_command:
        local = {item.keys[-1]: plan.job["inputs"][item.keys[-1]] for item in plan.bundle.data}
        return missing_inputs({"inputs": local}, job_file, repository)
    return [
        JobError(
            f"{item.document}: {'.'.join(item.keys)}.path",
            f"there is no {item.path}",
            "Put the data there, or write the path of data that exists.",
        )
        for item in plan.bundle.data
        if not os.path.exists(repository / item.path)
    ]


def _print_dry_run(
    plan: JobPlan,
    workspace: AzureWorkspace | None,
    images: Mapping[str, PushableImage],
    repository: Path,
    as_json: bool,
) -> int:
    from azureml_jobs.cli import dry_run

    missing = missing_data(plan, repository)
    if plan.is_command and workspace is None:
        missing = missing_inputs(plan.job, repository / plan.request.job_file, repository)
    notes = [f"{error.where}: {error.what}." for error in missing]
    git = state_of(plan, repository)
    plan = replace(plan, warnings=(*plan.warnings, *(git.warnings if git else ())))
    if as_json:
        print_json(dry_run.as_data(plan, workspace, repository, images, notes))
    else:
        print(dry_run.as_text(plan, workspace, repository, images, notes))
        print_warnings(plan.warnings)
    return 0


def _run_here(
    plan: JobPlan,
    provenance: Provenance,
    folder: Path,
    repository: Path,
    options: argparse.Namespace,
) -> int:
    """Start the job in the local workspace; `folder` holds what the plugin gathered."""
    from azureml_jobs.local.debugger.debugger import requested_debugger
    from azureml_jobs.local.run_environment import ensure_packages_venv

    reason = "" if options.local else f" ({CONFIG_FILE} names no workspace)"
    if plan.is_component:
        return _register_here(plan, provenance, folder, repository, options, reason)
    search = plan.request.search
    debugger = requested_debugger(folder)
    run = replace(
        _plan_run(plan, folder, repository, options),
        no_cache=options.no_cache,
        seed=options.seed,
        jobs_at_once=options.jobs_at_once or os.cpu_count() or 1,
        search_python=ensure_packages_venv(search, folder) if search else "",
    )
    job = create_job(plan, run, provenance, debugger)
    print_warnings([*plan.warnings, *provenance.warnings])
    print(f"Local workspace{reason}: {job.name}\n{run.runtimes()}", file=sys.stderr)
    is_sweep = plan.kind == "sweep job"
    return exec_after_pants(["execute", str(job.path)], run.search_python if is_sweep else None)


def _plan_run(
    plan: JobPlan, folder: Path, repository: Path, options: argparse.Namespace
) -> RunPlan:
    choice = RuntimeChoice(options.runtime or plan.request.options.runtime, os.environ)
    return plan_run(
        plan, folder, repository, lambda need: choice.choose(need, plan.request.address)
    )


def _register_here(
    plan: JobPlan,
    provenance: Provenance,
    folder: Path,
    repository: Path,
    options: argparse.Namespace,
    reason: str,
) -> int:
    """Register the component; one that this machine cannot run is for looking at only."""
    from azureml_jobs.local.register_component import register_component

    runs_here = not azure_only_parts(plan.bundle.documents, plan.request.job_file)
    runs = _plan_run(plan, folder, repository, options).units if runs_here else {}
    print_warnings([*plan.warnings, *provenance.warnings])
    registered = register_component(plan, provenance, runs, repository)
    print(f"{registered.id} registered in the local workspace{reason}")
    return 0


def _submit(
    plan: JobPlan,
    provenance: Provenance,
    workspace: AzureWorkspace,
    images: Mapping[str, PushableImage],
    folder: Path,
    options: argparse.Namespace,
) -> int:
    from azureml_jobs.azure.create_submission import create_submission  # pants: no-infer-dep
    from azureml_jobs.local.run_environment import ensure_packages_venv

    if (options.stream or options.web) and not plan.kind.endswith(" job"):
        raise JobError(
            "--stream" if options.stream else "--web",
            f"a {plan.kind} has neither a log nor a page of its own",
            "Leave it out.",
        )
    submit_options = SubmitOptions(options.stream, options.web, options.timings, options.login)
    submission = create_submission(plan, provenance, workspace, Path.cwd(), submit_options, images)
    print_warnings([*plan.warnings, *provenance.warnings])
    prefix = ensure_packages_venv(plan.request.azure, folder)
    return exec_after_pants(["submit", str(submission.path)], prefix)


def print_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        print_warning(warning)

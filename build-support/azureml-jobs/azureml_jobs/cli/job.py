"""What is done with one job: run it, show what would be sent, write its bundle."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.azure.submission import SubmitOptions
from azureml_jobs.base.console import print_warning
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace, configured_workspace
from azureml_jobs.bundle.clean_tree import check_clean_tree
from azureml_jobs.bundle.plan import JobPlan, plan_job
from azureml_jobs.cli.job_options import (
    add_job_options,
    add_submission_options,
    add_workspace_options,
    as_settings,
)
from azureml_jobs.docker.needed_image import needed_image_of
from azureml_jobs.docker.pushable_image import PushableImage, image_stays_here, pushable_image
from azureml_jobs.local.inputs import resolve_inputs
from azureml_jobs.local.runtimes import RUNTIMES, RuntimeChoice
from azureml_jobs.protocol import DebuggerOptions


def run_job(arguments: Sequence[str]) -> int:
    """`./pants run src/X:job -- …`"""
    # The plugin puts its own part first, whatever the user writes behind it.
    internal, given = arguments[:2], arguments[2:]
    request = _request_parser().parse_args(internal).request
    options = _options(given)
    repository = Path.cwd()
    workspace = None if options.local else configured_workspace(repository, options.profile)
    check_clean_tree(workspace, repository)
    plan = plan_job(request, repository, [*options.settings, *as_settings(options)])
    image = None
    if options.image:
        if workspace is None:
            reason = "" if options.local else f": {CONFIG_FILE} names no workspace"
            raise image_stays_here(reason)
        image = pushable_image(plan, os.environ)
    if workspace is not None:
        _check_local_data(plan, repository)
    elif options.dry_run:
        # A run resolves them itself, before it writes anything.
        resolve_inputs(plan.job, repository / plan.request.job_file, repository)
    if options.dry_run:
        return _show(plan, workspace, image, repository, options.json)
    if workspace is not None and DebuggerOptions.of(request.parent):
        raise JobError(
            plan.request.address,
            "a debugger reaches jobs on this machine only, and this one goes to Azure ML",
            "Add `--local` behind `--`, or leave `--debug-adapter` out.",
        )
    if workspace is not None:
        return _submit(plan, workspace, image, request.parent, options)
    from azureml_jobs.base.exec_after_pants import exec_after_pants
    from azureml_jobs.local.create_job import create_job
    from azureml_jobs.local.debugger.debugger import debugger_of

    debugger = debugger_of(request.parent)
    choice = RuntimeChoice(options.runtime or plan.request.options.runtime, os.environ)
    runtime = choice.choose(needed_image_of(plan), plan.request.address)
    folder = create_job(plan, request.parent, repository, runtime, debugger)
    _show_warnings(plan.warnings)
    reason = "" if options.local else f" ({CONFIG_FILE} names no workspace)"
    print(f"Local workspace{reason}: {folder.name}\n{runtime}", file=sys.stderr)
    return exec_after_pants(["execute", str(folder.path)])


def _request_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--request", type=Path, required=True)
    return parser


def _options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./pants run …:job --",
        description="Run a job: in the workspace that config.env names, else on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY.PATH=VALUE",
        dest="settings",
        help="override a value of the job file, e.g. inputs.epochs=20; may be repeated",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be sent, and stop there"
    )
    parser.add_argument("--json", action="store_true", help="print --dry-run as JSON")
    add_workspace_options(parser)
    add_job_options(parser)
    add_submission_options(parser)
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        help="what a run on this machine runs in: the image of its environment, or a virtual "
        "environment (default: the option `[azureml].runtime`)",
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="follow the job to its end; a run on this machine is always followed",
    )
    options = parser.parse_args(given)
    if options.json and not options.dry_run:
        parser.error("--json goes with --dry-run")
    if options.local and options.profile:
        parser.error("--local and --profile exclude each other")
    return options


def _submit(
    plan: JobPlan,
    workspace: AzureWorkspace,
    image: PushableImage | None,
    folder: Path,
    options: argparse.Namespace,
) -> int:
    from azureml_jobs.azure.submission import create_submission  # pants: no-infer-dep
    from azureml_jobs.base.exec_after_pants import exec_after_pants
    from azureml_jobs.local.create_job import seeded_prefix

    submit_options = SubmitOptions(options.stream, options.web, options.timings, options.login)
    submission = create_submission(plan, workspace, Path.cwd(), submit_options, image)
    _show_warnings(plan.warnings)
    return exec_after_pants(
        ["submit", str(submission.path)], seeded_prefix(plan.request.azure, folder)
    )


def _show(
    plan: JobPlan,
    workspace: AzureWorkspace | None,
    image: PushableImage | None,
    repository: Path,
    as_json: bool,
) -> int:
    from azureml_jobs.cli import dry_run

    if as_json:
        report = dry_run.as_data(plan, workspace, repository, image)
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(dry_run.as_text(plan, workspace, repository, image))
        _show_warnings(plan.warnings)
    return 0


def _check_local_data(plan: JobPlan, repository: Path) -> None:
    """Raise `JobError` for an input whose local path does not exist."""
    local = {item.name: plan.job["inputs"][item.name] for item in plan.bundle.data}
    resolve_inputs({"inputs": local}, repository / plan.request.job_file, repository)


def _show_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print_warning(warning)


def write_job_bundle(arguments: Sequence[str]) -> int:
    """What `./pants package src/X:job` runs, in a sandbox."""
    from azureml_jobs.bundle.contents import write_bundle
    from azureml_jobs.bundle.provenance import git_state

    parser = _request_parser()
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    given = parser.parse_args(arguments)
    plan = plan_job(given.request.absolute(), given.repository)
    _check_local_data(plan, given.repository)
    _show_warnings(plan.warnings)
    git = git_state(given.repository, [file.source for file in plan.bundle.code])
    try:
        write_bundle(plan.bundle, git, given.output, given.repository, copy_data=True)
    except OSError as error:
        raise OutsideError(
            plan.request.address,
            f"its bundle could not be written: {error.strerror or error}",
            f"Look at {error.filename}." if error.filename else "",
        ) from error
    return 0


def lint_job_files(arguments: Sequence[str]) -> int:
    """What `./pants lint` runs for jobs, in a sandbox; status 1 as of other linters."""
    from azureml_jobs.jobfile.lint import findings_text, lint_jobs
    from azureml_jobs.protocol import LintRequest

    given = _request_parser().parse_args(arguments)
    findings = lint_jobs(LintRequest.read(given.request), Path.cwd())
    print(findings_text(findings), end="")
    return 1 if findings else 0

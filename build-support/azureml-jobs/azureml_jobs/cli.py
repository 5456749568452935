"""The job tool's commands, and how their failures are told."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from azureml_jobs.console import fail, warn
from azureml_jobs.errors import JobError, OutsideError


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status.

    0 done, 2 the user's mistake, 1 something outside failed, else the status of a job that ended.
    """
    commands: dict[str, Callable[[Sequence[str]], int]] = {
        # What the plugin starts
        "job": run_job,
        "local": run_script,
        "workspace": run_workspace,
        "bundle": write_job_bundle,
        "lint": lint_job_files,
        # What goes on after Pants has answered
        "execute": execute_job,
        "execute-script": execute_local_script,
    }
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter of a file's name is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return commands[arguments[0]](arguments[1:])
        finally:
            # What is still buffered would meet a closed pipe only when Python ends.
            sys.stdout.flush()
    except JobError as error:
        fail(str(error))
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe has seen enough, as in `… | head`; nothing can be told any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def run_job(arguments: Sequence[str]) -> int:
    """`./pants run src/X:job -- …`"""
    internal = argparse.ArgumentParser(add_help=False)
    internal.add_argument("--request", type=Path, required=True)
    given, rest = internal.parse_known_args(arguments[:2])
    repository = Path.cwd()
    rest = [*rest, *arguments[2:]]

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
    parser.add_argument(
        "--local", action="store_true", help="run on this machine whatever config.env says"
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="follow the job to its end; a run on this machine is always followed",
    )
    options = parser.parse_args(rest)
    if options.json and not options.dry_run:
        parser.error("--json goes with --dry-run")

    from azureml_jobs.destination import CONFIG_FILE, configured_workspace
    from azureml_jobs.prepare import prepare_job

    workspace = None if options.local else configured_workspace(repository)
    prepared = prepare_job(given.request, repository, options.settings)
    if workspace is None:
        from azureml_jobs.local.inputs import resolve_inputs

        resolve_inputs(prepared.job, repository / prepared.request.job_file, repository)
    else:
        check_local_data(prepared.job, repository / prepared.request.job_file, repository)
    if options.dry_run:
        from azureml_jobs import dry_run

        if options.json:
            report = dry_run.as_data(prepared, workspace, repository)
            print(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            print(dry_run.as_text(prepared, workspace, repository))
            show_warnings(prepared.warnings)
        return 0
    if workspace is not None:
        raise JobError(
            f"{CONFIG_FILE}: WORKSPACE",
            f"jobs cannot be submitted to {workspace.name} yet, this version only runs them here",
            "Run it on this machine: add `--local` behind `--`.\n"
            "Or write its bundle by `./pants package` and submit that by `az ml job create`.",
        )
    from azureml_jobs.handover import continue_as
    from azureml_jobs.local.stage import stage_job

    show_warnings(prepared.warnings)
    folder = stage_job(prepared, given.request.parent, repository)
    reason = "" if options.local else f" ({CONFIG_FILE} names no workspace)"
    print(f"Local workspace{reason}: {folder.name}", file=sys.stderr)
    return continue_as(["execute", str(folder.path)])


def check_local_data(job: Mapping[str, Any], job_file: Path, repository: Path) -> None:
    """Raise `JobError` for an input whose local path does not exist."""
    from azureml_jobs.local.inputs import resolve_inputs

    local = {
        name: value
        for name, value in (job.get("inputs") or {}).items()
        if isinstance(value, dict)
        and isinstance(value.get("path"), str)
        and not value["path"].startswith("azureml:")
        and "://" not in value["path"]
    }
    resolve_inputs({"inputs": local}, job_file, repository)


def show_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        warn(warning)


def run_script(arguments: Sequence[str]) -> int:
    """`./pants run src/X:local -- …`; all that follows `--` is the script's."""
    from azureml_jobs.handover import continue_as
    from azureml_jobs.local.stage import stage_script
    from azureml_jobs.prepare import GatheredMistakes
    from azureml_jobs.snapshot.request import ScriptRequest

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--request", type=Path, required=True)
    given = parser.parse_args(arguments[:2])
    request = ScriptRequest.read(given.request)
    if request.mistakes:
        raise GatheredMistakes(request.mistakes)
    # The plugin ends its own part with `--`.
    folder = stage_script(request, given.request.parent, Path.cwd(), arguments[3:])
    return continue_as(["execute-script", str(folder)])


def run_workspace(arguments: Sequence[str]) -> int:
    """`./pants run :aml -- …`"""
    from azureml_jobs.steering import steer

    return steer(arguments)


def write_job_bundle(arguments: Sequence[str]) -> int:
    """What `./pants package src/X:job` runs, in a sandbox."""
    from azureml_jobs.prepare import prepare_job
    from azureml_jobs.snapshot.bundle import write_bundle
    from azureml_jobs.snapshot.provenance import git_state

    parser = argparse.ArgumentParser()
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    given = parser.parse_args(arguments)
    prepared = prepare_job(given.request.absolute(), given.repository)
    check_local_data(prepared.job, given.repository / prepared.request.job_file, given.repository)
    show_warnings(prepared.warnings)
    git = git_state(given.repository, [file.source for file in prepared.bundle.code])
    try:
        write_bundle(prepared.bundle, git, given.output, given.repository, copy_data=True)
    except OSError as error:
        raise OutsideError(
            prepared.request.address,
            f"its bundle could not be written: {error.strerror or error}",
            f"Look at {error.filename}." if error.filename else "",
        ) from error
    return 0


def lint_job_files(arguments: Sequence[str]) -> int:
    """What `./pants lint` runs for jobs, in a sandbox; status 1 as of other linters."""
    from azureml_jobs.lint import findings_text, lint_jobs
    from azureml_jobs.snapshot.request import LintRequest

    parser = argparse.ArgumentParser()
    parser.add_argument("--request", type=Path, required=True)
    given = parser.parse_args(arguments)
    findings = lint_jobs(LintRequest.read(given.request), Path.cwd())
    print(findings_text(findings), end="")
    return 1 if findings else 0


def execute_job(arguments: Sequence[str]) -> int:
    from azureml_jobs.local.folder import JobFolder
    from azureml_jobs.local.runner import execute

    return execute(JobFolder(Path(arguments[0])))


def execute_local_script(arguments: Sequence[str]) -> int:
    from azureml_jobs.local.script import execute_script

    return execute_script(Path(arguments[0]))

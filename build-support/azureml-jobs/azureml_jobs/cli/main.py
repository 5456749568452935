"""The job tool: which command is meant, and how failures are told."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from azureml_jobs.base.console import print_error
from azureml_jobs.base.errors import JobError


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status.

    0 done, 2 the user's mistake, 1 something outside failed, else the status of a job that ended.
    """
    commands: dict[str, Callable[[Sequence[str]], int]] = {
        # What the plugin starts
        "job": run_job,
        "local": run_script,
        "terminal": run_terminal,
        "tests": run_tests,
        "jupyter": run_jupyter,
        "workspace": run_workspace,
        "bundle": write_job_bundle,
        "lint": lint_job_files,
        # What goes on after Pants has answered
        "execute": execute_job,
        "execute-script": execute_local_script,
        "execute-tests": execute_tests,
        "execute-notebook": execute_notebook,
        "submit": submit_job,
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
        print_error(str(error))
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe has seen enough, as in `… | head`; nothing can be told any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def run_job(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import job as job_commands

    return job_commands.run_job(arguments)


def write_job_bundle(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import job as job_commands

    return job_commands.write_job_bundle(arguments)


def lint_job_files(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import job as job_commands

    return job_commands.lint_job_files(arguments)


def run_script(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import script as script_commands

    return script_commands.run_script(arguments)


def run_terminal(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import script as script_commands

    return script_commands.run_terminal(arguments)


def run_tests(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import script as script_commands

    return script_commands.run_tests(arguments)


def run_jupyter(arguments: Sequence[str]) -> int:
    from azureml_jobs.cli import notebook as notebook_commands

    return notebook_commands.run_jupyter(arguments)


def run_workspace(arguments: Sequence[str]) -> int:
    """`./pants run :aml -- …`"""
    from azureml_jobs.cli.aml import run_aml

    return run_aml(arguments)


def execute_job(arguments: Sequence[str]) -> int:
    from azureml_jobs.local.folder import JobFolder
    from azureml_jobs.local.runner import execute

    return execute(JobFolder(Path(arguments[0])))


def execute_local_script(arguments: Sequence[str]) -> int:
    from azureml_jobs.local.script import execute_script

    return execute_script(Path(arguments[0]))


def execute_tests(arguments: Sequence[str]) -> int:
    from azureml_jobs.local import image_tests

    return image_tests.execute_tests(Path(arguments[0]))


def execute_notebook(arguments: Sequence[str]) -> int:
    from azureml_jobs.local import notebook

    return notebook.execute_notebook(Path(arguments[0]))


def submit_job(arguments: Sequence[str]) -> int:
    from azureml_jobs.azure.submit import submit  # pants: no-infer-dep

    return submit(Path(arguments[0]))

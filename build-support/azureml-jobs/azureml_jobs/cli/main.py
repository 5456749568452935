"""Run the command of the job tool that is asked for, and report its errors."""

from __future__ import annotations

import errno
import io
import os
import pkgutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from azureml_jobs.base.console import print_error
from azureml_jobs.base.errors import DISK_FULL, JobError, OutsideError
from azureml_jobs.base.safe_stream import SafeStream, safe_text

_MAKE_ROOM = "Make room there, and type the same command again."
# `module:function` of each command. A module is imported only when its command runs.
COMMANDS = {
    "job": "azureml_jobs.cli.job:run_job",
    "local": "azureml_jobs.cli.script:run_script",
    "terminal": "azureml_jobs.cli.script:run_terminal",
    "tests": "azureml_jobs.cli.script:run_tests",
    "jupyter": "azureml_jobs.cli.script:run_jupyter",
    "workspace": "azureml_jobs.cli.aml:run_aml",
    "why": "azureml_jobs.cli.why:run_why",
    "bundle": "azureml_jobs.cli.sandbox:write_job_bundle",
    "lint": "azureml_jobs.cli.sandbox:lint_job_files",
}
# These run after Pants has answered, on a path that a command above left for them.
COMMANDS_AFTER_PANTS = {
    "execute": "azureml_jobs.local.execute:execute_job",
    "execute-child": "azureml_jobs.local.execute:execute_child",
    "execute-script": "azureml_jobs.local.script:execute_script",
    "execute-tests": "azureml_jobs.local.script:execute_tests",
    "execute-notebook": "azureml_jobs.local.notebook:execute_notebook",
    "submit": "azureml_jobs.azure.submit:submit",
}


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status.

    0 is success, 2 an error of the user, 1 a failure outside; else it is the status of a job that
    ended.
    """
    for name in ("stdin", "stdout", "stderr"):
        # It is None where the caller closed it (`>&-`). In their order, each gets its descriptor:
        # otherwise a file or a pipe of ours would get it, and what is meant for the user.
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Files can have names that the terminal has no letters for.
            stream.reconfigure(errors="backslashreplace")
    safe_out, safe_err = SafeStream(sys.stdout), SafeStream(sys.stderr)
    try:
        try:
            with redirect_stdout(safe_out), redirect_stderr(safe_err):
                return _run(arguments[0], arguments[1:])
        finally:
            # Python would flush only at its end, where a closed pipe is an error.
            sys.stdout.flush()
    except JobError as error:
        print_error(safe_text(str(error)))
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe has seen enough, as in `… | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            what = "the name is too long for this system"
            print_error(safe_text(str(JobError(str(error.filename), what, "Write a shorter one."))))
            return JobError.status
        if error.errno not in DISK_FULL:
            raise
        where = str(error.filename or "standard output")
        print_error(safe_text(str(OutsideError(where, "the disk is full", _MAKE_ROOM))))
        if error.filename is None:
            # Python would try again at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OutsideError.status


def _run(command: str, arguments: Sequence[str]) -> int:
    if command in COMMANDS:
        status: int = pkgutil.resolve_name(COMMANDS[command])(arguments)
    else:
        status = pkgutil.resolve_name(COMMANDS_AFTER_PANTS[command])(Path(arguments[0]))
    return status

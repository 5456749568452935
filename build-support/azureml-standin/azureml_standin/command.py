"""`./pants run :aml -- service`: run the service in the foreground, or around a command."""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import write_file
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.local.interruptions import Interruptions
from azureml_standin.control_plane.resources import PLACE
from azureml_standin.service import COMPUTES, Service

ENVIRONMENT_FILE = "environment"


def serve(repository: Path, options: argparse.Namespace) -> int:
    """Run the service until it is interrupted, or until its command ends; return the exit status.

    `options.python` is the prefix of a virtual environment for all jobs. Without it, each job gets
    the packages that its build context lists. Jobs name one of `options.computes`.
    """
    folder = repository / LOCAL_FOLDER / "service"
    service = _service(folder, options)
    variables = {
        **service.client.direct(),
        # That terminal still trusts other hosts.
        "REQUESTS_CA_BUNDLE": str(service.authority.bundle_file),
    }
    # Nobody reads them, and a service may run for days.
    service.recording.is_kept = False
    service.execution.report = lambda line: _print(f"{time.strftime('%H:%M:%S')} {line}")
    with Interruptions() as interruptions:
        service.start()
        try:
            if options.inner_command:
                return _run(options.inner_command, variables, interruptions)
            _announce(service, variables, repository)
            while not interruptions.take():
                select.select([interruptions], [], [])
            return 0
        finally:
            (folder / ENVIRONMENT_FILE).unlink(missing_ok=True)
            service.stop()
            for failure in service.failures:
                _print(failure)


def _service(folder: Path, options: argparse.Namespace) -> Service:
    python, port = options.python, options.port
    if python is not None and not os.access(os.path.join(python, "bin", "python"), os.X_OK):
        raise JobError(
            f"--python {python}",
            "there is no `bin/python` in this folder",
            "Name the folder of a virtual environment.",
        )
    computes, prefix = options.computes or COMPUTES, python or sys.prefix
    try:
        return Service(folder, port, computes, prefix, python is None, options.jobs_at_once)
    except OSError as error:
        raise OutsideError(
            f"--port {port}" if port else str(folder),
            f"the service cannot start: {error.strerror or error}",
            "Name another port, or leave `--port` out to get a free one." if port else "",
        ) from error


def _announce(service: Service, variables: Mapping[str, str], repository: Path) -> None:
    file = service.folder / ENVIRONMENT_FILE
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    write_file(file, f"# Read this file in a shell: . {shlex.quote(str(file))}\n{exports}")
    with contextlib.suppress(ValueError):
        file = file.relative_to(repository.absolute())
    _print(
        f"A stand-in for Azure Machine Learning runs at {service.url}.\n"
        f"Its workspace is {PLACE['workspace']}, its clusters are "
        f"{', '.join(service.control.computes)}. In another terminal, in this folder:\n\n"
        f"  . {shlex.quote(str(file))}\n"
        "  ./pants run src/example_experiment:job -- --stream\n\n"
        "Jobs run on this machine. Ctrl-C stops the service and its jobs."
    )


def _run(command: Sequence[str], variables: Mapping[str, str], interruptions: Interruptions) -> int:
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables})
    except OSError as error:
        raise JobError(
            command[0], f"the command cannot be started: {error.strerror}", "Check its name."
        ) from error
    while (status := process.poll()) is None:
        select.select([interruptions], [], [])
        for signum in interruptions.take():
            # Ctrl-C in a terminal reaches the command directly; wait until it ends.
            if signum != signal.SIGINT or not os.isatty(0):
                process.terminate()
    return 128 - status if status < 0 else status


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

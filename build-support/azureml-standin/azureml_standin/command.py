"""`./pants run :aml -- service`: the service in the foreground, or around a command."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_standin.service import Service

ENVIRONMENT_FILE = "environment"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(
    repository: Path,
    port: int = 0,
    python: str | None = None,
    jobs_at_once: int = 2,
    command: Sequence[str] = (),
) -> int:
    """Run the service until it is interrupted, or until `command` ends; return its exit status.

    Without `python`, the prefix of a virtual environment, jobs get the packages that their build
    context lists.
    """
    folder = repository / LOCAL_FOLDER / "service"
    service = _service(folder, port, python, jobs_at_once)
    variables = {
        **service.client.direct(),
        # Other hosts that are reached from that terminal stay trusted.
        "REQUESTS_CA_BUNDLE": str(service.authority.bundle_file),
    }
    # Nobody would read them, and a service may run for days.
    service.recording.is_kept = False
    service.execution.report = lambda line: _print(f"{time.strftime('%H:%M:%S')} {line}")
    with _interruptible() as interrupted:
        service.start()
        try:
            if command:
                return _run(command, variables, interrupted)
            _announce(service, variables, repository)
            interrupted.wait()
            return 0
        finally:
            (folder / ENVIRONMENT_FILE).unlink(missing_ok=True)
            service.stop()
            for failure in service.failures:
                _print(failure)


def _service(folder: Path, port: int, python: str | None, jobs_at_once: int) -> Service:
    if python is not None and not os.access(os.path.join(python, "bin", "python"), os.X_OK):
        raise JobError(
            f"--python {python}",
            "no virtual environment is there",
            "Name the folder that holds `bin/python`.",
        )
    try:
        return Service(
            folder,
            port,
            computes=None,
            python=python or sys.prefix,
            installs_packages=python is None,
            jobs_at_once=jobs_at_once,
        )
    except OSError as error:
        raise OutsideError(
            f"--port {port}" if port else str(folder),
            f"the service could not be started: {error.strerror or error}",
            "Name another port, or none for one that is free." if port else "",
        ) from error


def _announce(service: Service, variables: Mapping[str, str], repository: Path) -> None:
    file = service.folder / ENVIRONMENT_FILE
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write("# To be read by a shell: . " + shlex.quote(str(file)) + "\n")
        out.writelines(lines)
    with contextlib.suppress(ValueError):
        file = file.relative_to(repository.absolute())
    _print(
        f"A stand-in for Azure Machine Learning answers at {service.url}.\n"
        f"Its workspace is {service.workspace.name}. In another terminal, here:\n\n"
        f"  . {shlex.quote(str(file))}\n"
        "  ./pants run src/example_experiment:job -- --stream\n\n"
        "Jobs run on this machine. Ctrl-C stops the service, and what still runs."
    )


def _run(command: Sequence[str], variables: Mapping[str, str], interrupted: threading.Event) -> int:
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables})
    except OSError as error:
        raise JobError(
            command[0], f"the command cannot be started: {error.strerror}", "Look at its name."
        ) from error
    # Ctrl-C in a terminal reaches the command by itself; wait for it.
    while True:
        try:
            status = process.wait(0.2)
            return 128 - status if status < 0 else status
        except subprocess.TimeoutExpired:
            if interrupted.is_set() and not os.isatty(0):
                process.terminate()


@contextlib.contextmanager
def _interruptible() -> Iterator[threading.Event]:
    interrupted = threading.Event()
    before = {each: signal.signal(each, lambda *_: interrupted.set()) for each in _SIGNALS}
    try:
        yield interrupted
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

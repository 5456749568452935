"""Run JupyterLab in the image of an experiment, on the repository's files."""

from __future__ import annotations

import argparse
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.cli.job_options import request_parser
from azureml_jobs.cli.runtime import choose_runtime
from azureml_jobs.docker.jupyter import jupyter_addition
from azureml_jobs.protocol import REQUIREMENTS_FILE, NotebookRequest

_LOOPBACK = "127.0.0.1"
# The default of Jupyter.
_FIRST_PORT = 8888


def run_jupyter(arguments: Sequence[str]) -> int:
    """Run `./pants run src/X:jupyter -- …`."""
    request_file = request_parser().parse_args(arguments[:2]).request
    options = _parse_options(arguments[2:])
    request = NotebookRequest.read(request_file)
    port = _check_port(options.port) if options.port else _free_port()
    addition = jupyter_addition((request_file.parent / REQUIREMENTS_FILE).read_bytes())
    runtime = choose_runtime(request.address, request.image, request.options, addition)
    from azureml_jobs.local.notebook import create_notebook

    folder = create_notebook(request, Path.cwd(), runtime, port, secrets.token_urlsafe(24))
    print(runtime, file=sys.stderr)
    return exec_after_pants(["execute-notebook", str(folder)])


def _parse_options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./pants run …:jupyter --",
        description="Start JupyterLab in the experiment's image, with the folders src, notebooks "
        "and data of the repository.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=int, help=f"the port on this machine (default: {_FIRST_PORT} or a free one)"
    )
    return parser.parse_args(given)


def _check_port(port: int) -> int:
    try:
        return _bindable(port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutsideError(
            f"--port {port}", f"the port cannot be used: {reason}", "Choose another one."
        ) from error


def _free_port() -> int:
    try:
        return _bindable(_FIRST_PORT)
    except OSError:
        return _bindable(0)


def _bindable(port: int) -> int:
    """Return the port after binding it once; 0 is any free one."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
        return int(listener.getsockname()[1])

"""JupyterLab in the image of an experiment, on the repository's own files."""

from __future__ import annotations

import argparse
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.cli.script import chosen_runtime, with_layer
from azureml_jobs.docker.jupyter import jupyter_layer
from azureml_jobs.protocol import REQUIREMENTS_FILE, NotebookRequest

_LOOPBACK = "127.0.0.1"
# Jupyter's own, which people know.
_FIRST_PORT = 8888


def run_jupyter(arguments: Sequence[str]) -> int:
    """`./pants run src/X:jupyter -- …`"""
    internal, given = arguments[:2], arguments[2:]
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--request", type=Path, required=True)
    request_file = parser.parse_args(internal).request
    options = _options(given)
    request = NotebookRequest.read(request_file)
    port = _checked_port(options.port) if options.port else _free_port()
    runtime = chosen_runtime(request.address, request.image, request.options)
    layer = jupyter_layer((request_file.parent / REQUIREMENTS_FILE).read_bytes())
    runtime = with_layer(runtime, request.image, layer, request.options)
    from azureml_jobs.local.notebook import create_notebook

    folder = create_notebook(request, Path.cwd(), runtime, port, secrets.token_urlsafe(24))
    print(runtime, file=sys.stderr)
    return exec_after_pants(["execute-notebook", str(folder)])


def _options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./pants run …:jupyter --",
        description="JupyterLab in the experiment's image. Its folders src, notebooks and data are "
        "those of the repository.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=int, help=f"the port on this machine (default: {_FIRST_PORT} or a free one)"
    )
    return parser.parse_args(given)


def _checked_port(port: int) -> int:
    try:
        _bound(port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutsideError(
            f"--port {port}", f"the port cannot be used: {reason}", "Choose another one."
        ) from error
    return port


def _free_port() -> int:
    try:
        return _bound(_FIRST_PORT)
    except OSError:
        return _bound(0)


def _bound(port: int) -> int:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
        return int(listener.getsockname()[1])

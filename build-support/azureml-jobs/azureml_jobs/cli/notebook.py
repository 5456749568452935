"""Run JupyterLab with the packages of an experiment, on the repository's files."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.base.loopback import bound_socket
from azureml_jobs.cli.job_options import request_parser
from azureml_jobs.cli.runtime import choose_runtime
from azureml_jobs.docker.jupyter import jupyter_addition
from azureml_jobs.protocol import REQUIREMENTS_FILE, NotebookRequest

# The default of Jupyter.
_FIRST_PORT = 8888


def run_jupyter(arguments: Sequence[str]) -> int:
    """Run `./pants run src/X:jupyter -- …`."""
    request_file = request_parser().parse_args(arguments[:2]).request
    options = _parse_options(arguments[2:])
    request = NotebookRequest.read(request_file)
    with bound_socket(options.port, _FIRST_PORT) as bound:
        port = bound.getsockname()[1]
    addition = None
    if request.image:
        addition = jupyter_addition((request_file.parent / REQUIREMENTS_FILE).read_bytes())
    runtime = choose_runtime(request.address, request.image, request.options, addition)
    from azureml_jobs.local.notebook import create_notebook

    pants_folder = request_file.absolute().parent
    folder = create_notebook(
        request, pants_folder, Path.cwd(), runtime, port, secrets.token_urlsafe(24)
    )
    print(runtime, file=sys.stderr)
    return exec_after_pants(["execute-notebook", str(folder)])


def _parse_options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./pants run …:jupyter --",
        description="Start JupyterLab in the experiment's image, or else with the packages of its "
        "lock, on the folders src, notebooks and data of the repository.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=int, help=f"the port on this machine (default: {_FIRST_PORT} or a free one)"
    )
    return parser.parse_args(given)

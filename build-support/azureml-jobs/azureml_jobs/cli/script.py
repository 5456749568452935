"""Run `:local`, `:terminal`, `:test` and `:jupyter` of an experiment."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.base.loopback import listening_socket
from azureml_jobs.cli.options import ExactParser, port, split_request
from azureml_jobs.docker.derived_image import derived_image, packages_addition
from azureml_jobs.docker.jupyter import jupyter_addition
from azureml_jobs.docker.needed_image import NeededImage
from azureml_jobs.local.create_script import (
    create_script,
    pytest_command,
    result_file,
    script_command,
)
from azureml_jobs.local.debugger.debugger import requested_debugger
from azureml_jobs.local.run_environment import is_new
from azureml_jobs.local.runtimes import Runtime, RuntimeChoice
from azureml_jobs.protocol import REQUIREMENTS_FILE, NotebookRequest, ScriptRequest


def run_script(arguments: Sequence[str]) -> int:
    """Run `./pants run src/X:local -- …`; all that follows `--` is for the script."""
    return _run(arguments, script_command)


def run_terminal(arguments: Sequence[str]) -> int:
    """Run `./pants run src/X:terminal -- …`; what follows `--` is for bash."""
    return _run(arguments, lambda request, given: ["bash", *given])


def run_tests(arguments: Sequence[str]) -> int:
    """Run `./pants run src/X:test -- …`; what follows `--` is for pytest."""
    request, folder, given = _parse(arguments)
    command = pytest_command(request, given)
    runtime = _choose_runtime(request, folder)
    if runtime.image is None:
        raise ValueError("tests run in Docker, and another runtime was chosen")
    result = result_file(request, folder, Path.cwd(), runtime.image, command)
    print(runtime, file=sys.stderr)
    if result.exists():
        print(result.read_text(encoding="utf-8", errors="replace"), end="")
        print("The tests passed before, and nothing has changed since.", file=sys.stderr)
        return 0
    script = create_script(request, folder, Path.cwd(), runtime, command, result=str(result))
    return exec_after_pants(["execute-tests", str(script)])


def _run(
    arguments: Sequence[str], command: Callable[[ScriptRequest, Sequence[str]], list[str]]
) -> int:
    request, folder, given = _parse(arguments)
    argv = command(request, given)
    debugger = requested_debugger(folder)
    runtime = _choose_runtime(request, folder)
    script = create_script(request, folder, Path.cwd(), runtime, argv, debugger=debugger)
    print(runtime, file=sys.stderr)
    # Unlike a job, a script has the terminal: nothing can be shown there until it prints.
    if runtime.image is None and request.venv and is_new(request.venv.prefix):
        print("Python compiles its packages now, which takes some seconds.", file=sys.stderr)
    return exec_after_pants(["execute-script", str(script)])


def _parse(arguments: Sequence[str]) -> tuple[ScriptRequest, Path, Sequence[str]]:
    """Return the plugin's message, the folder that holds it, and the user's arguments.

    A `--` separates these from those of the plugin.
    """
    file, given = split_request(arguments)
    request = ScriptRequest.read(file)
    request.raise_errors()
    return request, file.parent, given[1:]


def _choose_runtime(request: ScriptRequest | NotebookRequest, folder: Path) -> Runtime:
    """Return the runtime; one with an image has that image with the packages that it lacks.

    Raises `JobError` or `OutsideError` as `RuntimeChoice.choose` does.
    """
    image, options = request.image, request.options
    need = NeededImage(why_none="only Azure ML has the environment of its job")
    if image:
        need = NeededImage(image.tag, image.address)
    runtime = RuntimeChoice(options.runtime, os.environ).choose(need, request.address)
    if image is None or runtime.image is None:
        return runtime
    requirements = folder / REQUIREMENTS_FILE
    if isinstance(request, NotebookRequest):
        addition = jupyter_addition(requirements.read_bytes())
    elif request.adds_packages:
        addition = packages_addition(requirements.read_bytes(), request.address)
    else:
        return runtime
    derived = derived_image(runtime.image, addition, options.build_arguments, image.network)
    return replace(runtime, image=derived)


# The default of Jupyter.
_FIRST_PORT = 8888


def run_jupyter(arguments: Sequence[str]) -> int:
    """Run `./pants run src/X:jupyter -- …`."""
    from azureml_jobs.local.notebook import create_notebook

    file, given = split_request(arguments)
    options = _parse_options(given)
    request = NotebookRequest.read(file)
    with listening_socket(options.port, _FIRST_PORT) as listening:
        free_port = listening.getsockname()[1]
    pants_folder = file.absolute().parent
    runtime = _choose_runtime(request, pants_folder)
    folder = create_notebook(
        request, pants_folder, Path.cwd(), runtime, free_port, secrets.token_urlsafe(24)
    )
    print(runtime, file=sys.stderr)
    return exec_after_pants(["execute-notebook", str(folder)])


def _parse_options(given: Sequence[str]) -> argparse.Namespace:
    parser = ExactParser(
        prog="./pants run …:jupyter --",
        description="Start JupyterLab in the experiment's image, or else with the packages of its "
        "lock, on the folders src, notebooks and data of the repository.",
    )
    parser.add_argument(
        "--port", type=port, help=f"the port on this machine (default: {_FIRST_PORT} or a free one)"
    )
    return parser.parse_args(given)

"""What runs on an experiment's code beside its job: the local script, a shell, its tests."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from azureml_jobs.base.exec_after_pants import exec_after_pants
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.plan import PluginErrors
from azureml_jobs.docker.layer import Layer, layered_image, packages_layer
from azureml_jobs.docker.needed_image import NeededImage
from azureml_jobs.local.create_script import create_script, pytest_command, script_command
from azureml_jobs.local.debugger.debugger import debugger_of
from azureml_jobs.local.runtimes import Runtime, RuntimeChoice
from azureml_jobs.protocol import (
    REQUIREMENTS_FILE,
    SOURCES_FOLDER,
    EnvironmentImage,
    RuntimeOptions,
    ScriptRequest,
)


def run_script(arguments: Sequence[str]) -> int:
    """`./pants run src/X:local -- …`; all that follows `--` is the script's."""
    return _run(arguments, script_command)


def run_terminal(arguments: Sequence[str]) -> int:
    """`./pants run src/X:terminal`; what follows `--` is for bash."""
    return _run(arguments, lambda request, given: ["bash", *given])


def run_tests(arguments: Sequence[str]) -> int:
    """`./pants run src/X:test -- …`; what follows `--` is for pytest."""
    from azureml_jobs.local.image_tests import passed_before, result_file

    request, folder = _request(arguments)
    command = pytest_command(request, arguments[3:])
    runtime = _runtime(request, folder)
    if runtime.image is None:
        raise ValueError("docker was wanted and something else was chosen")
    result = result_file(
        Path.cwd() / LOCAL_FOLDER,
        runtime.image,
        folder / SOURCES_FOLDER,
        [file.path for file in request.files],
        command,
    )
    print(runtime, file=sys.stderr)
    printed = passed_before(result)
    if printed is not None:
        print(printed, end="")
        print("The tests passed before, nothing has changed since.", file=sys.stderr)
        return 0
    staged = create_script(request, folder, Path.cwd(), runtime, command, result=str(result))
    return exec_after_pants(["execute-tests", str(staged)])


def _run(
    arguments: Sequence[str], command: Callable[[ScriptRequest, Sequence[str]], list[str]]
) -> int:
    request, folder = _request(arguments)
    argv = command(request, arguments[3:])
    debugger = debugger_of(folder)
    runtime = _runtime(request, folder)
    staged = create_script(request, folder, Path.cwd(), runtime, argv, debugger=debugger)
    print(runtime, file=sys.stderr)
    return exec_after_pants(["execute-script", str(staged)])


def _request(arguments: Sequence[str]) -> tuple[ScriptRequest, Path]:
    """What the plugin gathered, and the folder that holds it; its part of them ends with `--`."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--request", type=Path, required=True)
    file = parser.parse_args(arguments[:2]).request
    request = ScriptRequest.read(file)
    if request.errors:
        raise PluginErrors(request.errors)
    return request, file.parent


def _runtime(request: ScriptRequest, folder: Path) -> Runtime:
    runtime = chosen_runtime(request.address, request.image, request.options)
    if not request.layered:
        return runtime
    requirements = (folder / REQUIREMENTS_FILE).read_bytes()
    layer = packages_layer(requirements, "packages", f"what {request.address} imports")
    return with_layer(runtime, request.image, layer, request.options)


def chosen_runtime(
    address: str, image: EnvironmentImage | None, options: RuntimeOptions
) -> Runtime:
    """Raises `JobError` or `OutsideError` as `RuntimeChoice.choose`."""
    need = NeededImage(lack="only Azure ML has the environment of its job")
    if image:
        need = NeededImage(image.tag, image.address)
    return RuntimeChoice(options.runtime, os.environ).choose(need, address)


def with_layer(
    runtime: Runtime, base: EnvironmentImage | None, layer: Layer, options: RuntimeOptions
) -> Runtime:
    """The same with `layer` on top of its image, which `base` is; without one just the same."""
    if runtime.image is None or base is None:
        return runtime
    image = layered_image(runtime.image, layer, options.build_arguments, base.network)
    return replace(runtime, image=image)

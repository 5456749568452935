"""What runs on an experiment's code beside its job: the local script, a shell."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Callable, Sequence

from azureml_jobs.handover import continue_as
from azureml_jobs.local.debugger.debugger import debugger_of
from azureml_jobs.local.runtimes import ImageNeed, Runtime, RuntimeChoice
from azureml_jobs.local.stage_script import script_command, stage_script
from azureml_jobs.prepare import GatheredMistakes
from azureml_jobs.snapshot.request import ScriptRequest

_NO_IMAGE = "only Azure ML has the environment of its job"


def run_script(arguments: Sequence[str]) -> int:
    """`./pants run src/X:local -- …`; all that follows `--` is the script's."""
    return _run(arguments, script_command)


def run_terminal(arguments: Sequence[str]) -> int:
    """`./pants run src/X:terminal`; what follows `--` is for bash."""
    return _run(arguments, lambda request, given: ["bash", *given])


def _run(
    arguments: Sequence[str], command: Callable[[ScriptRequest, Sequence[str]], list[str]]
) -> int:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--request", type=Path, required=True)
    # The plugin ends its own part with `--`.
    given = parser.parse_args(arguments[:2])
    request = ScriptRequest.read(given.request)
    if request.mistakes:
        raise GatheredMistakes(request.mistakes)
    folder = given.request.parent
    debugger = debugger_of(folder)
    runtime = script_runtime(request)
    staged = stage_script(
        request, folder, Path.cwd(), runtime, command(request, arguments[3:]), debugger
    )
    print(runtime, file=sys.stderr)
    return continue_as(["execute-script", str(staged)])


def script_runtime(request: ScriptRequest) -> Runtime:
    """Raises `JobError` or `OutsideError` as `RuntimeChoice.choose`."""
    need = ImageNeed(lack=_NO_IMAGE)
    if request.image:
        need = ImageNeed(request.image.tag, request.image.address)
    return RuntimeChoice(request.options.runtime, os.environ).choose(need, request.address)

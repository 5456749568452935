"""The packages of a run: Pants' environment of them, and over it one of the run for its pip."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.protocol import PackagesVenv

_SCRIPT = Path(__file__).with_name("light_environment.py")
# Runs a command whose Python has an environment of its own in $PYTHONUSERBASE. Where that Python is
# no virtual environment, pip takes this folder by itself, because the image belongs to root.
_WRAPPER = """\
python=$(command -v python || command -v python3) && "$python" -I -c "$0" "$PYTHONUSERBASE"
[ ! -e "$PYTHONUSERBASE/pyvenv.cfg" ] || export VIRTUAL_ENV="$PYTHONUSERBASE"
export PATH="$PYTHONUSERBASE/bin:$PATH"
exec "$@"
"""
# What `in_container` needs in the environment of the command.
CONTAINER_VARIABLES = {"PYTHONUSERBASE": "/tmp/azureml-run-packages"}


def ensure_packages_venv(venv: PackagesVenv | None, folder: Path) -> str:
    """Return the prefix of the environment, installed again when Pants' cache was pruned.

    `folder` is the one of the request.
    """
    if venv is None:
        raise ValueError("the request was made to bundle, not to run")
    if not os.path.exists(os.path.join(venv.prefix, "bin", "python")):
        seed = [str(folder / venv.seed), "-c", ""]
        seeding = subprocess.run(seed, capture_output=True, text=True, check=False)
        if seeding.returncode != 0:
            raise OutsideError(
                venv.prefix,
                f"the packages could not be installed again: {seeding.stderr.strip()}",
                "Remove that folder and run the command again.",
            )
    return venv.prefix


def is_new(prefix: str) -> bool:
    """Return whether none of the packages was imported yet: Python compiles each at its first."""
    packages = [each.parent for each in Path(prefix).glob("lib/*/site-packages/*/__init__.py")]
    return bool(packages) and not any((each / "__pycache__").exists() for each in packages)


@contextlib.contextmanager
def run_environment(python: str, folder: Path) -> Iterator[list[str]]:
    """Yield the prefixes whose `bin` comes first for the run in `folder`.

    The first one is the environment of the run over that of its packages, `python`; there is none
    where that is empty.
    """
    if not python:
        yield []
        return
    own = folder / "environment"
    made = subprocess.run(
        [os.path.join(python, "bin", "python"), "-I", str(_SCRIPT), str(own), "pip"],
        capture_output=True,
        text=True,
        check=False,
        # Ctrl-C ends the run as soon as this has ended.
        start_new_session=True,
    )
    try:
        if made.returncode != 0:
            reason = (made.stderr.strip().splitlines() or ["unknown error"])[-1]
            raise OutsideError(str(own), f"the environment of the run could not be made: {reason}")
        yield [str(own), python]
    finally:
        shutil.rmtree(own, ignore_errors=True)


def in_container(command: Sequence[str]) -> list[str]:
    """Return `command` so that in its container pip has a folder to install into."""
    return ["sh", "-c", _WRAPPER, _SCRIPT.read_text(encoding="utf-8"), *command]

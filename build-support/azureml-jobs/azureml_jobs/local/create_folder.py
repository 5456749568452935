"""What staging a job and staging a script share."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.protocol import PackagesVenv

Written = TypeVar("Written")


def seeded_prefix(venv: PackagesVenv | None, folder: Path) -> str:
    """Prefix of the packages' virtual environment, made anew when Pants' cache was pruned."""
    if venv is None:
        raise ValueError("the request was made to bundle, not to run")
    if not os.path.exists(os.path.join(venv.prefix, "bin", "python")):
        seeding = subprocess.run(
            [str(folder / venv.seed), "-c", ""], capture_output=True, text=True, check=False
        )
        if seeding.returncode != 0:
            raise OutsideError(
                venv.prefix,
                f"the packages could not be installed again: {seeding.stderr.strip()}",
                "Remove that folder and run the command again.",
            )
    return venv.prefix


def experiment_of(address: str) -> str:
    """The experiment to which a target belongs: the name of its folder."""
    return posixpath.basename(address.partition(":")[0]) or "local"


def new_local_folder(repository: Path, prefix: str, fill: Callable[[Path], None]) -> Path:
    """A new folder in `.azureml/local` that `fill` has written; what fails leaves none behind."""
    base = repository / LOCAL_FOLDER / "local"

    def make() -> Path:
        base.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=base))
        try:
            fill(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    return written(repository / LOCAL_FOLDER, make)


def written(root: Path, write: Callable[[], Written]) -> Written:
    """Call `write`; a disk that does not take it is the outside's failure, not our bug."""
    try:
        return write()
    except OSError as error:
        # A copy that fails names what it read, which is not what is to be looked at.
        blamed = str(error.filename or "")
        raise OutsideError(
            LOCAL_FOLDER,
            f"the local workspace could not be written: {error.strerror or error}",
            "Look at the free space and the permissions of "
            f"{blamed if blamed.startswith(str(root)) else root}.",
        ) from error

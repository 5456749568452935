"""The virtual environment of third-party packages that Pants made for a run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.protocol import PackagesVenv


def ensure_packages_venv(venv: PackagesVenv | None, folder: Path) -> str:
    """Return the prefix of the environment, installed again when Pants' cache was pruned.

    `folder` is the one of the request.
    """
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

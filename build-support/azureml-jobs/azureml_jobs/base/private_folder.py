"""Make folders in `.azureml`, which only its owner can read: it says what was run, and how."""

from __future__ import annotations

import os
from pathlib import Path

from azureml_jobs.base.workspace_config import LOCAL_FOLDER


def make_folder(path: Path) -> None:
    """Make a folder and those above it; a `.azureml` among them is closed to other accounts."""
    for folder in (path, *path.parents):
        if folder.name == LOCAL_FOLDER:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = folder.stat()
            if state.st_mode & 0o077 and state.st_uid == os.getuid():
                folder.chmod(0o700)
    path.mkdir(parents=True, exist_ok=True)

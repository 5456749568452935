"""Make projects from a copy of this repository, by copier."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scratch import Checkout


def copier(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "copier", *arguments]
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=True)


def begin(template: Checkout, root: Path, **answers: str) -> Checkout:
    """Make a project with flags in place of a person's answers."""
    data = [f"--data={name}={answer}" for name, answer in answers.items()]
    copier(template.root, "copy", "--quiet", "--defaults", *data, str(template.root), str(root))
    return Checkout(root)

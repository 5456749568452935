"""Start what runs for long after Pants has answered, so that it keeps no other command waiting."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Set by `./pants`: the file that takes a command line, as strings that end in NUL each.
EXEC_FILE_VARIABLE = "AZUREML_JOBS_EXEC_FILE"

RUN_SCRIPT = Path(__file__).resolve().parents[2] / "run.py"


def exec_after_pants(arguments: Sequence[str], prefix: str | None = None) -> int:
    """Go on as the job tool with `arguments`: under `./pants`, or in place of this process.

    `prefix` is of the virtual environment to go on in; by default it is the present one. With
    `./pants` the command line is left behind for it and the status is 0. With any other launcher
    there is nobody to leave it to; this process then becomes that command.
    """
    python = sys.executable if prefix is None else os.path.join(prefix, "bin", "python")
    command = [python, str(RUN_SCRIPT), *arguments]
    file = os.environ.get(EXEC_FILE_VARIABLE)
    if not file:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)
    with open(file, "wb") as handover:
        handover.write(b"".join(os.fsencode(part) + b"\0" for part in command))
    return 0

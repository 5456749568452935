"""Start what runs for long after Pants has answered, so that it keeps no other command waiting."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Sequence

# Set by `./pants`: the file that takes a command line, as strings that end in NUL each.
HANDOVER_VARIABLE = "AZUREML_JOBS_HANDOVER"

RUN_SCRIPT = Path(__file__).resolve().parent.parent / "run.py"


def continue_as(arguments: Sequence[str], prefix: str | None = None) -> int:
    """Go on as the job tool with `arguments`: under `./pants`, or in place of this process.

    `prefix` is of the virtual environment to go on in; by default it is the present one. With
    `./pants` the command line is left behind for it and the status is 0. With any other launcher
    there is nobody to leave it to; this process then becomes that command.
    """
    python = sys.executable if prefix is None else os.path.join(prefix, "bin", "python")
    command = [python, str(RUN_SCRIPT), *arguments]
    file = os.environ.get(HANDOVER_VARIABLE)
    if not file:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)
    with open(file, "wb") as handover:
        handover.write(b"".join(os.fsencode(part) + b"\0" for part in command))
    return 0

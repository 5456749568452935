"""Start a long run after Pants has ended, so that no other `./pants` command waits for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Set by `./pants`: the file for a command line, whose strings end in NUL each.
EXEC_FILE_VARIABLE = "AZUREML_JOBS_EXEC_FILE"

RUN_SCRIPT = Path(__file__).resolve().parents[2] / "run.py"


def exec_after_pants(arguments: Sequence[str], prefix: str | None = None) -> int:
    """Run the job tool with `arguments` after Pants, or else in place of this process.

    `prefix` is that of the virtual environment to run in, by default the current one.
    """
    python = sys.executable if prefix is None else os.path.join(prefix, "bin", "python")
    return exec_command([python, str(RUN_SCRIPT), *arguments])


def exec_command(command: list[str]) -> int:
    """Run a command after Pants, or else in place of this process.

    The command line is written to a file that `./pants` reads when Pants has ended, and the status
    0 returned. Under any other launcher this process becomes that command.
    """
    file = os.environ.get(EXEC_FILE_VARIABLE)
    if not file:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)
    Path(file).write_bytes(b"".join(os.fsencode(part) + b"\0" for part in command))
    return 0

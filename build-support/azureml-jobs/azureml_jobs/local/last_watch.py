"""End the processes of a job whose runner was killed: a small shell waits for that to happen."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

# The pipe ends with the runner, however that ends.
_SCRIPT = 'read -r _; kill -TERM -- "-$0"; "$@"; sleep 10; kill -KILL -- "-$0"'


class LastWatch:
    """Watches over the process group `pgid`; `remove` is a command that removes its container."""

    def __init__(self, pgid: int, remove: Sequence[str] = ("true",)) -> None:
        self._process = subprocess.Popen(
            ["bash", "-c", _SCRIPT, str(pgid), *remove],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in the terminal is for the runner.
            start_new_session=True,
        )

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

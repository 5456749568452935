"""How a staged command is started in its runtime, and how what is left of it is ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.docker.container import Container, client_environment
from azureml_jobs.local.output import Copy, Log
from azureml_jobs.local.process import JOB_MARKER, kill_job


@dataclass
class Launch:
    """A command line with its environment, ready to be started.

    `folder` is the job's or script's own. `container` is None where the command is a process of
    this machine, and otherwise what `argv` is the client of.
    """

    argv: list[str]
    cwd: Path
    environment: dict[str, str]
    folder: Path
    container: Container | None = None

    def copied_to(self, log: Log) -> tuple[subprocess.Popen[bytes], list[Copy]]:
        """Start it without standard input, its output copied to ours and to `log`."""
        copies, theirs = [], []
        for target in (1, 2):
            source, sink = os.pipe()
            copies.append(Copy(source, target, log))
            theirs.append(sink)
        try:
            process = subprocess.Popen(
                self.argv,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=theirs[0],
                stderr=theirs[1],
                start_new_session=True,
            )
        except OSError:
            for copy in copies:
                copy.close()
            raise
        finally:
            for sink in theirs:
                os.close(sink)
        return process, copies

    def kill(self, pgid: int | None) -> None:
        """End everything of it at once."""
        if self.container is not None:
            from azureml_jobs.docker.engine import remove_container

            remove_container(self.container.name)
        kill_job(str(self.folder), pgid)


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    container: Container | None,
    folder: Path,
    code: Path,
    *stdin_and_terminal: str,
) -> Launch:
    """`command` in `container`, or where that is None in `code` on this machine.

    `environment` is the command's own. `stdin_and_terminal` are arguments of `docker run`.
    """
    marker = {JOB_MARKER: str(folder)}
    if container is None:
        return Launch(list(command), code, {**environment, **marker}, folder)
    return Launch(
        container.run_arguments(command, environment, *stdin_and_terminal),
        code,
        {**client_environment(environment, os.environ), **marker},
        folder,
        container,
    )

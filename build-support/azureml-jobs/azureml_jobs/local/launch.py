"""How a staged command is started in its runtime, and how what is left of it is ended."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from azureml_jobs.docker.container import Container, client_environment
from azureml_jobs.local.process import JOB_MARKER, kill_members


@dataclass
class Launch:
    """A command line with its environment, ready to be started.

    `folder` is the job's or script's own. `container` is None where the command is a process of
    this machine, and otherwise what `argv` is the client of.
    """

    argv: List[str]
    cwd: Path
    environment: Dict[str, str]
    folder: Path
    container: Optional[Container] = None

    def kill(self, pgid: Optional[int]) -> None:
        """End everything of it at once."""
        if self.container is not None:
            from azureml_jobs.docker.engine import remove_container

            remove_container(self.container.name)
        kill_members(str(self.folder), pgid)


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    container: Optional[Container],
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

"""How a job or script starts as a process, on this machine or in a container, and is killed."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.container import Container, client_environment
from azureml_jobs.local.code_sources import CodeSources, SourcePaths
from azureml_jobs.local.output import Copy, Log, MarkedLines, Sink
from azureml_jobs.local.process import JOB_MARKER, kill_job
from azureml_jobs.local.run_environment import in_container


@dataclass
class ProcessSpec:
    """A command line with its environment, ready to start.

    `folder` is the one of the job or script. With a `container`, `argv` is the docker client's.
    """

    argv: list[str]
    cwd: Path
    environment: dict[str, str]
    folder: Path
    container: Container | None = None

    def start(self, **options: Any) -> subprocess.Popen[bytes]:
        """Start it with `options` of `Popen`. Raises `JobError` when it cannot be started."""
        program = self.argv[0]
        try:
            return subprocess.Popen(self.argv, cwd=self.cwd, env=self.environment, **options)
        except OSError as error:
            what, remedy = error.strerror, f"Install {program}, or check the PATH."
            if error.errno == errno.E2BIG:
                remedy = "Shorten the command or its environment variables."
            raise OutsideError(program, f"it could not be started: {what}", remedy) from error
        except ValueError as error:
            # Of a NUL, or of `=` in the name of a variable.
            remedy = "Correct the command or its environment variables."
            raise JobError(program, f"it could not be started: {error}", remedy) from error

    def start_logged(
        self,
        log: Log,
        mark: bytes = b"",
        own_log: Log | None = None,
        sources: CodeSources | None = None,
    ) -> tuple[subprocess.Popen[bytes], list[Copy]]:
        """Start it without standard input, and copy its output to ours and to `log`.

        There `mark` is put before each line, but not in `own_log`. Tracebacks name the files of
        `sources`.
        """
        copies: list[Copy] = []
        sinks: list[int] = []
        for target in (1, 2):
            source, sink = os.pipe()
            os.set_blocking(source, False)
            lines = MarkedLines(mark) if mark else None
            paths = SourcePaths(sources) if sources else None
            copies.append(Copy(source, Sink(target), log, lines, own_log, paths))
            sinks.append(sink)
        try:
            process = self.start(
                stdin=subprocess.DEVNULL, stdout=sinks[0], stderr=sinks[1], start_new_session=True
            )
        except JobError:
            for copy in copies:
                copy.close()
            raise
        finally:
            for sink in sinks:
                os.close(sink)
        return process, copies

    def kill(self, *pgids: int | None) -> None:
        """Kill all of its processes, and remove its container."""
        if self.container is not None:
            from azureml_jobs.docker.engine import remove_container

            remove_container(self.container.name)
        kill_job(str(self.folder), *pgids)


def with_python_path(command: Sequence[str], *folders: str) -> list[str]:
    """Return `command` so that its Python imports from these folders first.

    They come before what the image or the caller has on the PYTHONPATH.
    """
    wrapper = 'export PYTHONPATH="$0${PYTHONPATH:+:$PYTHONPATH}"; exec "$@"'
    return ["sh", "-c", wrapper, ":".join(folders), *command]


def process_spec(
    command: Sequence[str],
    environment: Mapping[str, str],
    container: Container | None,
    folder: Path,
    code: Path,
    *stdin_and_terminal: str,
) -> ProcessSpec:
    """Return how `command` starts: in `container`, or in the folder `code` of this machine.

    `environment` is the command's own. `stdin_and_terminal` are arguments of `docker run`.
    """
    marker = {JOB_MARKER: str(folder)}
    if container is None:
        return ProcessSpec(list(command), code, {**environment, **marker}, folder)
    return ProcessSpec(
        container.run_arguments(in_container(command), environment, *stdin_and_terminal),
        code,
        {**client_environment(environment, os.environ), **marker},
        folder,
        container,
    )

"""Describe one container, and build the command line that runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

# Where Azure ML puts the code and the data of a job in its container, below the job's folder.
_JOB_FOLDER = "/mnt/azureml/cr/j"
_CODE = "exe/wd"
_DATA = "cap/data-capability/wd"
HOME = "/mnt/azureml/home"
DEBUGGER = "/mnt/azureml/debugger"
DEBUGGER_PACKAGES = "/mnt/azureml/debugger-packages"
# Azure ML's default for `resources.shm_size`:
# https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command
DEFAULT_SHM_SIZE = "2g"
# The docker client reads these variables itself: values of a job with these names are written into
# the command line, not passed on by name.
_CLIENT_VARIABLES = frozenset({"PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"})
_CLIENT_PREFIXES = ("DOCKER_", "BUILDKIT_", "LD_")
# The exit status of `docker run` when Docker itself fails.
DOCKER_FAILED_STATUS = 125
# Docker's default takes ctrl-p, which shells use for the previous command.
_DETACH_KEYS = "ctrl-^,ctrl-@"


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine (`source`) at `target` in the container."""

    source: str
    target: str
    read_only: bool = False

    def option(self) -> str:
        """Return the value of `--mount`, which is a line of CSV."""
        parts = ["type=bind", f"source={self.source}", f"target={self.target}"]
        if self.read_only:
            parts.append("readonly")
        return ",".join(_csv(part) for part in parts)


def _csv(part: str) -> str:
    return '"' + part.replace('"', '""') + '"' if set(part) & {",", '"', "\n", "\r"} else part


@dataclass
class Container:
    """A container to run, as records keep it.

    `name` is unique on this machine. `arguments` are those of `docker run` in the job file, then
    the user's. The command starts in the folder `work`.
    """

    name: str
    image: str
    image_id: str
    work: str
    user: str
    mounts: list[Mount] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    @property
    def has_host_network(self) -> bool:
        """Whether the container shares the network of this machine."""
        return re.search(r"--net(work)?[ =]host( |$)", " ".join(self.arguments)) is not None

    def of_process(self, rank: int, count: int) -> Container:
        """Return the container of one of `count` processes; together they are like one machine."""
        if count == 1:
            return self
        given = " ".join(self.arguments)
        shared = [f"--{what}=host" for what in ("network", "ipc") if f"--{what[:3]}" not in given]
        return replace(self, name=f"{self.name}-{rank}", arguments=[*shared, *self.arguments])

    def run_arguments(
        self, command: Sequence[str], environment: Mapping[str, str], *stdin_and_terminal: str
    ) -> list[str]:
        """Return the command line that runs `command`, and removes the container afterwards.

        It does not show values of `environment`, which are in `client_environment`.
        """
        return [
            *("docker", "run", "--rm", "--name", self.name),
            # An init process that passes signals on to the command's process group, and reaps
            # processes that ended.
            *("--init", "--env", "TINI_KILL_PROCESS_GROUP=1"),
            *("--user", self.user, "--workdir", self.work),
            *(f"--mount={mount.option()}" for mount in self.mounts),
            *("--env", f"HOME={HOME}"),
            *(
                part
                for name, value in environment.items()
                for part in ("--env", f"{name}={value}" if _is_client_variable(name) else name)
            ),
            *(f"--detach-keys={_DETACH_KEYS}", *stdin_and_terminal),
            *self.arguments,
            # By its id: the name could belong to another image meanwhile.
            self.image_id,
            *command,
        ]


def client_environment(environment: Mapping[str, str], caller: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the docker client, which holds the values of `--env NAME`."""
    own = {name: value for name, value in environment.items() if not _is_client_variable(name)}
    return {**caller, **own}


def _is_client_variable(name: str) -> bool:
    return name in _CLIENT_VARIABLES or name.startswith(_CLIENT_PREFIXES)


def code_folder(name: str) -> str:
    """Return the folder in the container where the code of `name` is, and its command starts."""
    return f"{_JOB_FOLDER}/{name}/{_CODE}"


def input_path(job: str, name: str, path: Path) -> str:
    """Return the path in the container of the input that is `path` here; a file keeps its name."""
    folder = f"{_JOB_FOLDER}/{job}/{_DATA}/INPUT_{name}"
    return f"{folder}/{path.name}" if path.is_file() else folder


def output_folder(job: str, name: str) -> str:
    return f"{_JOB_FOLDER}/{job}/{_DATA}/{name}"

"""One container: what it is made of, and the command line that runs it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

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
# The docker client reads these for itself: what a job has under these names is written out in
# place of being passed on by name.
_OF_THE_CLIENT = frozenset({"PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"})
_OF_THE_CLIENT_PREFIXES = ("DOCKER_", "BUILDKIT_", "LD_")
# The exit status of `docker run` for a failure of Docker's own.
DOCKER_FAILED_STATUS = 125
# In a terminal, ctrl-p is a shell's key for the command before; by default Docker takes it.
_DETACH_KEYS = "ctrl-^,ctrl-@"


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine (`source`) at `target` in the container."""

    source: str
    target: str
    read_only: bool = False

    def option(self) -> str:
        """The value of `--mount`, which is a line of CSV."""
        parts = ["type=bind", f"source={self.source}", f"target={self.target}"]
        if self.read_only:
            parts.append("readonly")
        return ",".join(_csv(part) for part in parts)


def _csv(part: str) -> str:
    return '"' + part.replace('"', '""') + '"' if set(part) & {",", '"', "\n", "\r"} else part


@dataclass
class Container:
    """A container to be run, as it is kept in records.

    `name` is unique on this machine. `arguments` are of `docker run`: those of the job file, then
    the user's. `work` is the folder in which the command starts.
    """

    name: str
    image: str
    image_id: str
    work: str
    user: str
    mounts: list[Mount] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Container:
        mounts = [Mount(**mount) for mount in data["mounts"]]
        return cls(**{**data, "mounts": mounts})

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def has_host_network(self) -> bool:
        """Whether a port of the container is one of this machine, as its arguments say."""
        return re.search(r"--net(work)?[ =]host\b", " ".join(self.arguments)) is not None

    def run_arguments(
        self, command: Sequence[str], environment: Mapping[str, str], *stdin_and_terminal: str
    ) -> list[str]:
        """The command line that runs `command` and removes the container when it has ended.

        Values of `environment` are not in it: `client_environment` has them.
        """
        return [
            *("docker", "run", "--rm", "--name", self.name),
            # A first process that passes signals on, to all of the command's process group, and
            # that reaps what ends.
            *("--init", "--env", "TINI_KILL_PROCESS_GROUP=1"),
            *("--user", self.user, "--workdir", self.work),
            *(f"--mount={mount.option()}" for mount in self.mounts),
            *self._environment_arguments(environment),
            *(f"--detach-keys={_DETACH_KEYS}", *stdin_and_terminal),
            *self.arguments,
            # By its id: nobody may have given the name to another one meanwhile.
            self.image_id,
            *command,
        ]

    @staticmethod
    def _environment_arguments(environment: Mapping[str, str]) -> list[str]:
        arguments = ["--env", f"HOME={HOME}"]
        for name, value in environment.items():
            arguments += ["--env", f"{name}={value}" if _is_of_the_client(name) else name]
        return arguments


def client_environment(environment: Mapping[str, str], caller: Mapping[str, str]) -> dict[str, str]:
    """The environment of the docker client, from which it takes what `--env NAME` passes on."""
    own = {name: value for name, value in environment.items() if not _is_of_the_client(name)}
    return {**caller, **own}


def _is_of_the_client(name: str) -> bool:
    return name in _OF_THE_CLIENT or name.startswith(_OF_THE_CLIENT_PREFIXES)


def code_folder(name: str) -> str:
    """Where the code of the job or script `name` is in its container; its commands start there."""
    return f"{_JOB_FOLDER}/{name}/{_CODE}"


def input_path(job: str, name: str, path: Path) -> str:
    """Where the input `name` is, which is `path` on this machine; a file keeps its own name."""
    folder = f"{_JOB_FOLDER}/{job}/{_DATA}/INPUT_{name}"
    return f"{folder}/{path.name}" if path.is_file() else folder


def output_folder(job: str, name: str) -> str:
    return f"{_JOB_FOLDER}/{job}/{_DATA}/{name}"


def user_of_files(is_rootless: bool) -> str:
    """`--user` for which the files that a container writes are those of who runs it."""
    return "0:0" if is_rootless else f"{os.getuid()}:{os.getgid()}"

"""The debugger of one run: where an editor attaches, and what the run's processes need of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker import container as docker
from azureml_jobs.docker.container import Container, Mount
from azureml_jobs.local.create_folder import seeded_prefix
from azureml_jobs.protocol import DebuggerOptions

_SITECUSTOMIZE = "sitecustomize.py"
_SETTINGS = "settings.json"
# In a container, a port that is published is reached from without on the container's own address.
_ALL_ADDRESSES = "0.0.0.0"
# What Python runs before all else; a PYTHONPATH of the image or of the caller stays behind it.
_WRAPPER = 'export PYTHONPATH="$0${PYTHONPATH:+:$PYTHONPATH}"; exec "$@"'


def debugged(command: Sequence[str], folder: str) -> list[str]:
    """The command whose Python processes wait for a debugger; `folder` is that of `write`."""
    return ["sh", "-c", _WRAPPER, folder, *command]


@dataclass(frozen=True)
class StagedCode:
    """The copy of code that a run has in `folder`, and the `repository` that it came from.

    `sources` gives the path in the repository by the name in the folder.
    """

    folder: Path
    sources: Mapping[str, str]
    repository: Path


@dataclass(frozen=True)
class Debugger:
    """`host` is numeric, `packages` is a folder that holds `debugpy`."""

    host: str
    port: int
    packages: Path

    def write(
        self, folder: Path, final: Path, code: StagedCode, container: Container | None
    ) -> str:
        """Write what the run's Python processes need of it; where that is, as the command sees it.

        It is written into `folder`, which will be at `final`. `container` gets what it needs, too.
        """
        seen, work, packages, host = str(final), str(code.folder), str(self.packages), self.host
        folders: list[Sequence[str]] = []
        if container is not None:
            seen, work, packages = docker.DEBUGGER, container.work, docker.DEBUGGER_PACKAGES
            container.mounts += [
                Mount(str(final), seen, read_only=True),
                Mount(str(self.packages), packages, read_only=True),
            ]
            if not container.has_host_network:
                host = _ALL_ADDRESSES
                container.arguments.append(f"--publish={self._published()}")
            # Files that only the run has are shown from its folder. The repository's other files
            # are not in the container, and debugpy would complain of breakpoints in them.
            folders = [(str(code.folder), work), (str(code.repository), str(code.repository))]
        settings: dict[str, Any] = {
            "host": host,
            "port": self.port,
            "address": f"{self.host}:{self.port}",
            "packages": packages,
            "files": {
                str(root / source): os.path.join(work, name)
                for root in _names_of(code.repository)
                for name, source in code.sources.items()
            },
            "folders": folders,
        }
        folder.mkdir()
        shutil.copyfile(Path(__file__).with_name(_SITECUSTOMIZE), folder / _SITECUSTOMIZE)
        (folder / _SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        return seen

    def _published(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}:{self.port}"


def debugger_of(folder: Path) -> Debugger | None:
    """What the request in `folder` asks for; None when the run is not debugged.

    Raises `JobError` for an address that is none, `OutsideError` when it cannot be had.
    """
    options = DebuggerOptions.of(folder)
    if options is None:
        return None
    host = _free_address(options.host, options.port)
    prefix = seeded_prefix(options.venv, folder)
    # Pants may link packages into their environment (`[pex].venv_use_symlinks`), and a container
    # would see a link to nowhere.
    (package,) = Path(prefix).glob("lib/python*/site-packages/debugpy")
    return Debugger(host, options.port, package.resolve().parent)


def _free_address(host: str, port: int) -> str:
    """The number of `host`, on which `port` is free."""
    if not 0 < port < 2**16:
        raise JobError(
            "--debug-adapter-port",
            f"{port} is no port",
            "Write one between 1 and 65535, as `--debug-adapter-port=5678`.",
        )
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise JobError(
            "--debug-adapter-host",
            f"{host} is not known ({error})",
            "Write an address of this machine, as `--debug-adapter-host=127.0.0.1`.",
        ) from error
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(address)
        except OSError as error:
            raise OutsideError(
                f"--debug-adapter-port={port}",
                f"the debugger cannot wait at {host}:{port}: {error.strerror}",
                "End what uses that port, or take another one: "
                "`./pants --debug-adapter-port=5679 run --debug-adapter …`.",
            ) from error
    return str(address[0])


def _names_of(repository: Path) -> list[Path]:
    """The repository, and its name in the shell, which editors know where links lead to it.

    The last one is the one under which files are shown.
    """
    shell = Path(os.environ.get("PWD") or repository)
    is_same = os.path.realpath(shell) == os.path.realpath(repository)
    return [repository, shell] if is_same else [repository]

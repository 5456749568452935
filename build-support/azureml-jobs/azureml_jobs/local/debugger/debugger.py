"""The debugger of one run: where an editor attaches, and what the run's processes need."""

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
from azureml_jobs.local.run_environment import ensure_packages_venv
from azureml_jobs.protocol import DebuggerOptions

_SITECUSTOMIZE = "sitecustomize.py"
_SETTINGS = "settings.json"
# Docker forwards a published port to the container's own address, not to its loopback.
_ALL_ADDRESSES = "0.0.0.0"


@dataclass(frozen=True)
class CodeCopy:
    """The copy of code that a run has in `folder`, and the `repository` that it came from.

    `sources` maps names in the folder to paths in the repository.
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

    def write(self, folder: Path, final: Path, code: CodeCopy, container: Container | None) -> str:
        """Write what the run's Python processes need; return its folder for the PYTHONPATH.

        It goes into `folder`, which will be at `final`. `container` gets the mounts and the port.
        """
        target, work, packages, host = str(final), str(code.folder), str(self.packages), self.host
        folders: list[Sequence[str]] = []
        if container is not None:
            target, work, packages = docker.DEBUGGER, container.work, docker.DEBUGGER_PACKAGES
            container.mounts += [
                Mount(str(final), target, read_only=True),
                Mount(str(self.packages), packages, read_only=True),
            ]
            if not container.has_host_network:
                host = _ALL_ADDRESSES
                published = f"[{self.host}]" if ":" in self.host else self.host
                container.arguments.append(f"--publish={published}:{self.port}:{self.port}")
            # The editor shows files that only the run has from its folder. The repository's other
            # files are not in the container: debugpy would warn of breakpoints in them.
            folders = [(str(code.folder), work), (str(code.repository), str(code.repository))]
        settings: dict[str, Any] = {
            "host": host,
            "port": self.port,
            "address": f"{self.host}:{self.port}",
            "packages": packages,
            "files": {
                str(root / source): os.path.join(work, name)
                for root in _repository_paths(code.repository)
                for name, source in code.sources.items()
            },
            "folders": folders,
        }
        folder.mkdir()
        shutil.copyfile(Path(__file__).with_name(_SITECUSTOMIZE), folder / _SITECUSTOMIZE)
        (folder / _SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        return target


def requested_debugger(folder: Path) -> Debugger | None:
    """Return the debugger for which the request in `folder` asks, if it does.

    Raises `JobError` for an invalid address, `OutsideError` when its port is in use.
    """
    options = DebuggerOptions.of(folder)
    if options is None:
        return None
    host = _free_address(options.host, options.port)
    prefix = ensure_packages_venv(options.venv, folder)
    # Resolved, because Pants may link packages into their environment
    # (`[pex].venv_use_symlinks`), and such a link leads nowhere in a container.
    (package,) = Path(prefix).glob("lib/python*/site-packages/debugpy")
    return Debugger(host, options.port, package.resolve().parent)


def _free_address(host: str, port: int) -> str:
    """Return the numeric address of `host`, on which `port` is free."""
    if not 0 < port < 2**16:
        raise JobError(
            "--debug-adapter-port",
            f"{port} is not a port",
            "Write one between 1 and 65535, such as `--debug-adapter-port=5678`.",
        )
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise JobError(
            "--debug-adapter-host",
            f"unknown host {host} ({error})",
            "Write an address of this machine, such as `--debug-adapter-host=127.0.0.1`.",
        ) from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise OutsideError(
                f"--debug-adapter-port={port}",
                f"the debugger cannot listen at {host}:{port}: {error.strerror}",
                "Stop what uses that port, or write another one: "
                "`./pants --debug-adapter-port=5679 run --debug-adapter …`.",
            ) from error
    return str(address[0])


def _repository_paths(repository: Path) -> list[Path]:
    """Return the path of the repository and, where links lead to it, its path in the shell.

    Editors use the path of the shell. Files are shown below the last one.
    """
    shell = Path(os.environ.get("PWD") or repository)
    is_same = os.path.realpath(shell) == os.path.realpath(repository)
    return [repository, shell] if is_same else [repository]

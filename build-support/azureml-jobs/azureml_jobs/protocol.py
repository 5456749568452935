"""The message from the plugin to the job tool: what Pants knows of a job, a script or a notebook.

A message is a JSON file that names its version. The tool checks it when it reads a message, the
plugin when it is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Self, Union, cast, get_args, get_origin, get_type_hints

from azureml_jobs.base.errors import OutsideError

# Raise it with every change of a field.
VERSION = 1

# What the plugin puts next to the message.
REQUEST_FILE = "request.json"
DEBUGGER_FILE = "debugger.json"
SOURCES_FOLDER = "sources"
REQUIREMENTS_FILE = "requirements.txt"


class Message:
    """A dataclass that travels as JSON; its fields are plain data, dataclasses and tuples."""

    def to_json(self) -> bytes:
        data = {"version": VERSION, "kind": type(self).__name__, **asdict(cast(Any, self))}
        return json.dumps(data, indent=1, sort_keys=True).encode()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raise `OutsideError` for a message of another version or kind."""
        data = json.loads(path.read_bytes())
        written = data.pop("version", None), data.pop("kind", None)
        if written != (VERSION, cls.__name__):
            raise OutsideError(
                path.name,
                f"the plugin wrote {written[1]} of version {written[0]}, and the job tool reads "
                f"{cls.__name__} of version {VERSION}",
                "Pants still runs an older plugin. Stop its daemon: `pkill -f pantsd`.",
            )
        return cast(Self, _value(cls, data))


@dataclass(frozen=True)
class ClosureFile:
    """One file of a job's closure.

    `path` is relative to the repository's root; `source_root` is empty for a file outside of every
    source root; `owner` is the address of the target that owns it.
    """

    path: str
    source_root: str
    owner: str
    why: str


@dataclass(frozen=True)
class LockedPackages:
    """The part of a lock that a job needs; digests are sha256 in hex."""

    resolve: str
    lock: str
    lock_digest: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class PackagesVenv:
    """The virtual environment of the locked packages.

    `seed` is a script beside the request, which makes the environment anew when its folder
    `prefix` has been pruned from Pants' cache.
    """

    prefix: str
    seed: str


@dataclass(frozen=True)
class RuntimeOptions:
    """How Pants' options say to run: `runtime` is auto, docker or venv.

    `run_arguments` go to `docker run`, `build_arguments` are those of `docker build --build-arg`.
    """

    runtime: str = "auto"
    run_arguments: tuple[str, ...] = ()
    build_arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnvironmentImage:
    """The image that the target `address` builds, with the tag of its content.

    `network` is the one that its build uses, None for Docker's own choice.
    """

    address: str
    tag: str
    network: str | None = None


@dataclass(frozen=True)
class JobRequest(Message):
    """Everything that Pants knows of a job.

    `errors` are the user's errors that were met while gathering: the tool shows them and stops.
    `venv` is absent from requests that only bundle, and from those that run in Docker or in Azure
    for sure; `azure`, what talks to Azure, from those that stay on this machine. `image_target` is
    the address of what builds the job's image.
    """

    address: str
    job_file: str
    files: tuple[ClosureFile, ...]
    context_files: tuple[str, ...]
    packages: LockedPackages
    versions: Mapping[str, str]
    errors: tuple[str, ...] = ()
    venv: PackagesVenv | None = None
    image_target: str | None = None
    options: RuntimeOptions = RuntimeOptions()
    azure: PackagesVenv | None = None


@dataclass(frozen=True)
class ScriptRequest(Message):
    """Everything that Pants knows of a script that runs on this machine.

    `script` is its path in the repository, None when `errors` say why it was not found. `image`
    is None where the experiment has none. `adds_packages` says that the file `REQUIREMENTS_FILE`
    next to the request lists packages that are not in the image. `tests` are the files that pytest
    runs.
    """

    address: str
    script: str | None
    files: tuple[ClosureFile, ...]
    errors: tuple[str, ...] = ()
    venv: PackagesVenv | None = None
    image: EnvironmentImage | None = None
    adds_packages: bool = False
    tests: tuple[str, ...] = ()
    options: RuntimeOptions = RuntimeOptions()


@dataclass(frozen=True)
class NotebookRequest(Message):
    """Everything that Pants knows of a notebook server.

    `source_root` is the folder that notebooks import from, relative to the repository's root. The
    file `REQUIREMENTS_FILE` beside the request holds the locked packages of JupyterLab.
    """

    address: str
    image: EnvironmentImage | None
    source_root: str
    options: RuntimeOptions


@dataclass(frozen=True)
class DebuggerOptions(Message):
    """Where a debugged run waits for an editor, and the environment that has `debugpy`.

    Kept in a file of its own, which is beside the request of a run that is debugged.
    """

    host: str
    port: int
    venv: PackagesVenv

    @classmethod
    def of(cls, folder: Path) -> DebuggerOptions | None:
        """Return what is next to the request in `folder`, None when the run is not debugged."""
        file = folder / DEBUGGER_FILE
        return cls.read(file) if file.exists() else None


@dataclass(frozen=True)
class JobToLint:
    """`errors` are those that Pants met itself, `scripts` the files that the command runs."""

    job_file: str
    errors: tuple[str, ...]
    scripts: tuple[str, ...]


@dataclass(frozen=True)
class LintRequest(Message):
    """Jobs whose files are looked at; paths are relative to the repository's root."""

    jobs: tuple[JobToLint, ...]


def _value(kind: Any, data: Any) -> Any:
    """Return `data`, as JSON has it, as a value of the type `kind`."""
    if is_dataclass(kind):
        kinds = get_type_hints(kind)
        return cast(Any, kind)(**{name: _value(kinds[name], part) for name, part in data.items()})
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], part) for part in data)
    if get_origin(kind) in (Union, UnionType) and data is not None:
        (inner,) = (each for each in get_args(kind) if each is not type(None))
        return _value(inner, data)
    return data

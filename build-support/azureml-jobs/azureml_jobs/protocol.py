"""The message from the plugin to the job tool: what Pants knows of a job, a script or a notebook.

A message is a JSON file that names its version. The plugin checks the version when it is loaded,
the tool when it reads a message: Pants may still run an older plugin than the repository has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, cast

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.typed_json import from_data

# Raise it with every change of a field, and with it the plugin's in `job_tool/message.py`.
VERSION = 4

# The folder of a request: the request itself, the options of the debugger, the sources at their
# paths in the repository, and the packages with their hashes (a job's: `requirements_file`).
REQUEST_FILE = "request.json"
DEBUGGER_FILE = "debugger.json"
SOURCES_FOLDER = "sources"
REQUIREMENTS_FILE = "requirements.txt"


def requirements_file(unit: str) -> str:
    """Return where the folder of a job's request has the packages of the unit of this name."""
    return f"requirements/{unit or 'job'}.txt"


class Message:
    """A dataclass that travels as JSON; its fields are plain data, dataclasses and tuples."""

    errors: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        data = {"version": VERSION, "kind": type(self).__name__, **asdict(cast(Any, self))}
        return json.dumps(data, indent=1, sort_keys=True).encode()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the message in the file; raise `OutsideError` for another version or kind."""
        data = json.loads(path.read_bytes())
        version, kind = data.pop("version", None), data.pop("kind", None)
        if (version, kind) != (VERSION, cls.__name__):
            raise OutsideError(
                path.name,
                f"the plugin wrote {kind} of version {version}, and the job tool reads "
                f"{cls.__name__} of version {VERSION}",
                "Pants still runs an older plugin. Stop its daemon by `rm -r .pids`, and run the "
                "command again.\nIf it fails again, take build-support/pants-plugins and "
                "build-support/azureml-jobs from the same release of the scaffolding.",
            )
        return cast(Self, from_data(cls, data))

    def raise_errors(self) -> None:
        """Raise the errors of the user that the plugin met, as it worded them."""
        if self.errors:
            raise GatheringErrors("\n\n".join(self.errors))


class GatheringErrors(JobError):
    """Errors of the user that were met before the job tool started."""

    def __init__(self, text: str) -> None:
        super().__init__("", text)

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True)
class NeededFile:
    """One file that a job or a script needs.

    `path` is relative to the repository's root, `name` to the folder where the command starts;
    `owner` is the address of the target that owns it. `why` is a reason such as `imported by
    src/x/main.py:3`, `by` what that reason is: a file, a target, the key of the command; empty for
    the command itself.
    """

    path: str
    name: str
    owner: str
    why: str
    by: str = ""


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

    `seed` is a script next to the request. It makes the environment again when its folder
    `prefix` has been pruned from Pants' cache.
    """

    prefix: str
    seed: str


@dataclass(frozen=True)
class RuntimeOptions:
    """How to run, by Pants' options: `runtime` is auto, docker or venv.

    `run_arguments` go to `docker run`, `build_arguments` are those of `docker build --build-arg`.
    """

    runtime: str = "auto"
    run_arguments: tuple[str, ...] = ()
    build_arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnvironmentImage:
    """The image that the target `address` builds, with the tag that its content gives it.

    `network` is the network of its build, None for Docker's default.
    """

    address: str
    tag: str
    network: str | None = None


@dataclass(frozen=True)
class UnitFiles:
    """What one command of a job needs: a step, a trial, a component, or the job itself.

    `name` is that of the code unit, empty for a job that is one command. `context_files` are those
    of its environment; `image_target` is the address of what builds its image. `venv` is None when
    the job is only bundled, or certainly runs in Docker or in Azure. `unused_modules` are modules
    that it lacks although the list of packages has them, with the addresses of their packages.
    """

    name: str
    files: tuple[NeededFile, ...]
    context_files: tuple[str, ...]
    packages: LockedPackages
    image_target: str | None = None
    venv: PackagesVenv | None = None
    unused_modules: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class JobRequest(Message):
    """Everything that Pants knows of a job.

    `documents` are the job file and the files that it refers to, relative to the repository's root,
    as are `source_roots`. `errors` are errors of the user that Pants met: the tool reports them and
    stops. `warnings` are doubts that it met. `deciding_files` are other files of the repository by
    which it chose the packages. `allow` are paths that the guard lets pass. `search` has the
    packages that a sweep on this machine needs, None for a job without one; `azure` those that talk
    to Azure, None for a job that stays on this machine.
    """

    address: str
    job_file: str
    documents: tuple[str, ...]
    units: tuple[UnitFiles, ...]
    versions: Mapping[str, str]
    source_roots: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    deciding_files: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    options: RuntimeOptions = RuntimeOptions()
    search: PackagesVenv | None = None
    azure: PackagesVenv | None = None


@dataclass(frozen=True)
class ScriptRequest(Message):
    """Everything that Pants knows of a script that runs on this machine.

    `script` is its path in the repository, None when `errors` say why it was not found. Imports
    begin in the folders `search_path`, by the names that files have where it runs. `image`
    is None for an experiment without one. `adds_packages` says that the file `REQUIREMENTS_FILE`
    next to the request has packages that are missing in the image. `tests` are the files that
    pytest runs.
    """

    address: str
    script: str | None
    files: tuple[NeededFile, ...]
    errors: tuple[str, ...] = ()
    venv: PackagesVenv | None = None
    image: EnvironmentImage | None = None
    adds_packages: bool = False
    tests: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ("",)
    options: RuntimeOptions = RuntimeOptions()


@dataclass(frozen=True)
class NotebookRequest(Message):
    """Everything that Pants knows of a notebook server.

    `source_root` is the folder that notebooks import from, relative to the repository's root. For
    the image, the file `REQUIREMENTS_FILE` next to the request has the locked packages of
    JupyterLab. Without one, `packages` has those of the experiment's lock, `jupyter` JupyterLab.
    """

    address: str
    source_root: str
    options: RuntimeOptions
    image: EnvironmentImage | None = None
    packages: PackagesVenv | None = None
    jupyter: PackagesVenv | None = None


@dataclass(frozen=True)
class WorkspaceRequest(Message):
    """The environments of a command of the workspace, None for those that it does not need.

    `azure` has the packages that talk to Azure, `ui` MLflow with its web page, `plot` matplotlib.
    """

    azure: PackagesVenv | None = None
    ui: PackagesVenv | None = None
    plot: PackagesVenv | None = None


@dataclass(frozen=True)
class DebuggerOptions(Message):
    """Where a debugged run waits for an editor, and the environment that has `debugpy`.

    It is a separate message, next to the request of a run that is debugged.
    """

    host: str
    port: int
    venv: PackagesVenv

    @classmethod
    def of(cls, folder: Path) -> DebuggerOptions | None:
        """Return the options next to the request in `folder`, None when nothing is debugged."""
        file = folder / DEBUGGER_FILE
        return cls.read(file) if file.exists() else None


@dataclass(frozen=True)
class UnitToExplain:
    """What one command of a job sends; `name` is that of the code unit."""

    name: str
    files: tuple[NeededFile, ...]


@dataclass(frozen=True)
class JobToExplain:
    """`documents` are the job file and what it refers to; `errors` are why there are no units."""

    address: str
    job_file: str
    documents: tuple[str, ...]
    units: tuple[UnitToExplain, ...]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class WhyRequest(Message):
    """All jobs of the repository; `python` is the version of the images."""

    jobs: tuple[JobToExplain, ...]
    source_roots: tuple[str, ...]
    python: tuple[int, ...]


@dataclass(frozen=True)
class JobToLint:
    """`errors` are those that Pants met, `scripts` the files that the command runs."""

    job_file: str
    errors: tuple[str, ...]
    scripts: tuple[str, ...]


@dataclass(frozen=True)
class LintRequest(Message):
    """Jobs whose files are checked; paths are relative to the repository's root."""

    jobs: tuple[JobToLint, ...]

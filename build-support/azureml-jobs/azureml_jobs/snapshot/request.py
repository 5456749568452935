"""What the plugin hands to the job tool, as data: the closure of one job, or jobs to lint."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Mapping


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
class JobRequest:
    """Everything that Pants knows of a job.

    `mistakes` are the user's mistakes that were met while gathering: the tool shows them and stops.
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
    mistakes: tuple[str, ...] = ()
    venv: PackagesVenv | None = None
    image_target: str | None = None
    options: RuntimeOptions = RuntimeOptions()
    azure: PackagesVenv | None = None

    def to_json(self) -> bytes:
        return _to_json(self)

    @classmethod
    def read(cls, path: Path) -> JobRequest:
        data = _read(path)
        data["azure"] = PackagesVenv(**data["azure"]) if data["azure"] else None
        packages = data["packages"]
        packages["requirements"] = tuple(packages["requirements"])
        data["packages"] = LockedPackages(**packages)
        data["context_files"] = tuple(data["context_files"])
        return cls(**data)


@dataclass(frozen=True)
class ScriptRequest:
    """Everything that Pants knows of a script that runs on this machine.

    `script` is its path in the repository, None when `mistakes` say why it was not found. `image`
    is None where the experiment has none. `layered` says that the file `REQUIREMENTS_FILE` beside
    the request holds packages that the image lacks. `tests` are the files that pytest runs.
    """

    address: str
    script: str | None
    files: tuple[ClosureFile, ...]
    mistakes: tuple[str, ...] = ()
    venv: PackagesVenv | None = None
    image: EnvironmentImage | None = None
    layered: bool = False
    tests: tuple[str, ...] = ()
    options: RuntimeOptions = RuntimeOptions()

    def to_json(self) -> bytes:
        return _to_json(self)

    @classmethod
    def read(cls, path: Path) -> ScriptRequest:
        data = _read(path)
        data["tests"] = tuple(data["tests"])
        return cls(**data)


@dataclass(frozen=True)
class NotebookRequest:
    """Everything that Pants knows of a notebook server.

    `source_root` is the folder that notebooks import from, relative to the repository's root. The
    file `REQUIREMENTS_FILE` beside the request holds the locked packages of JupyterLab.
    """

    address: str
    image: EnvironmentImage | None
    source_root: str
    options: RuntimeOptions

    def to_json(self) -> bytes:
        return _to_json(self)

    @classmethod
    def read(cls, path: Path) -> NotebookRequest:
        return cls(**_shared_parts(json.loads(path.read_bytes())))


@dataclass(frozen=True)
class DebuggerOptions:
    """Where a debugged run waits for an editor, and the environment that has `debugpy`.

    Kept in a file of its own, which is beside the request of a run that is debugged.
    """

    host: str
    port: int
    venv: PackagesVenv

    def to_json(self) -> bytes:
        return _to_json(self)

    @classmethod
    def read(cls, folder: Path) -> DebuggerOptions | None:
        """None when the request in `folder` is not one to debug."""
        if not (folder / DEBUGGER_FILE).exists():
            return None
        data: dict[str, Any] = json.loads((folder / DEBUGGER_FILE).read_bytes())
        return cls(data["host"], data["port"], PackagesVenv(**data["venv"]))


@dataclass(frozen=True)
class JobToLint:
    """`mistakes` are those that Pants met itself, `scripts` the files that the command runs."""

    job_file: str
    mistakes: tuple[str, ...]
    scripts: tuple[str, ...]


@dataclass(frozen=True)
class LintRequest:
    """Jobs whose files are looked at; paths are relative to the repository's root."""

    jobs: tuple[JobToLint, ...]

    def to_json(self) -> bytes:
        return _to_json(self)

    @classmethod
    def read(cls, path: Path) -> LintRequest:
        data: dict[str, Any] = json.loads(path.read_bytes())
        return cls(
            tuple(
                JobToLint(job["job_file"], tuple(job["mistakes"]), tuple(job["scripts"]))
                for job in data["jobs"]
            )
        )


def _to_json(
    request: JobRequest | ScriptRequest | NotebookRequest | DebuggerOptions | LintRequest,
) -> bytes:
    return json.dumps(asdict(request), indent=1, sort_keys=True).encode()


def _read(path: Path) -> dict[str, Any]:
    """The request of a job or a script, its parts as their types."""
    data = _shared_parts(json.loads(path.read_bytes()))
    data["files"] = tuple(ClosureFile(**file) for file in data["files"])
    data["mistakes"] = tuple(data["mistakes"])
    data["venv"] = PackagesVenv(**data["venv"]) if data["venv"] else None
    return data


def _shared_parts(data: dict[str, Any]) -> dict[str, Any]:
    options = data["options"]
    data["options"] = RuntimeOptions(
        options["runtime"], tuple(options["run_arguments"]), tuple(options["build_arguments"])
    )
    if data.get("image"):
        data["image"] = EnvironmentImage(**data["image"])
    return data


# Where the plugin puts things beside the request, and where the tool looks for them.
REQUEST_FILE = "request.json"
DEBUGGER_FILE = "debugger.json"
SOURCES_FOLDER = "sources"
REQUIREMENTS_FILE = "requirements.txt"

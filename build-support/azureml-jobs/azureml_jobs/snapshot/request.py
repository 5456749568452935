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
class JobRequest:
    """Everything that Pants knows of a job.

    `mistakes` are the user's mistakes that were met while gathering: the tool shows them and stops.
    `venv` is absent from requests that only bundle, `azure` (what talks to Azure) from those that
    stay on this machine.
    """

    address: str
    job_file: str
    files: tuple[ClosureFile, ...]
    context_files: tuple[str, ...]
    packages: LockedPackages
    versions: Mapping[str, str]
    mistakes: tuple[str, ...] = ()
    venv: PackagesVenv | None = None
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

    `script` is its path in the repository, None when `mistakes` say why it was not found.
    """

    address: str
    script: str | None
    files: tuple[ClosureFile, ...]
    mistakes: tuple[str, ...] = ()
    venv: PackagesVenv | None = None

    def to_json(self) -> bytes:
        return _to_json(self)

    @classmethod
    def read(cls, path: Path) -> ScriptRequest:
        return cls(**_read(path))


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


def _to_json(request: JobRequest | ScriptRequest | LintRequest) -> bytes:
    return json.dumps(asdict(request), indent=1, sort_keys=True).encode()


def _read(path: Path) -> dict[str, Any]:
    """The parts that both requests share, as their types."""
    data: dict[str, Any] = json.loads(path.read_bytes())
    data["files"] = tuple(ClosureFile(**file) for file in data["files"])
    data["mistakes"] = tuple(data["mistakes"])
    data["venv"] = PackagesVenv(**data["venv"]) if data["venv"] else None
    return data


# Where the plugin puts things beside the request, and where the tool looks for them.
REQUEST_FILE = "request.json"
SOURCES_FOLDER = "sources"
REQUIREMENTS_FILE = "requirements.txt"

"""Say where a bundle comes from: the commit and the changes, the data, and this one run."""

from __future__ import annotations

import platform
import shlex
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from azureml_jobs.bundle.contents import Bundle
from azureml_jobs.bundle.data import DataDigest, data_digest
from azureml_jobs.bundle.diff_guard import check_diff
from azureml_jobs.bundle.git_command import git_text, remote_address
from azureml_jobs.bundle.git_state import GitState, git_state
from azureml_jobs.bundle.plan import JobPlan


@dataclass(frozen=True)
class UsedImage:
    """The image of a unit; `id` is `sha256:…`."""

    reference: str
    id: str


@dataclass(frozen=True)
class Made:
    """What belongs to one run alone, and not to the content of its bundle.

    `sdk` are versions of the packages that talk to Azure. `seed` is what a sweep on this machine
    samples with when its job file has none.
    """

    command_line: str
    branch: str | None
    remote: str | None
    host: str
    system: str
    python: str
    sdk: Mapping[str, str] | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Provenance:
    """`data` are digests of local data, None for data that is not here, by names of inputs.

    `images` are by names of units. `made` is None for a bundle that belongs to no run.
    """

    git: GitState | None
    data: Mapping[str, DataDigest | None]
    made: Made | None = None
    images: Mapping[str, UsedImage] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        return self.git.warnings if self.git else []


def provenance_of(plan: JobPlan, repository: Path, made: Made | None = None) -> Provenance:
    """Return where the bundle of a job comes from."""
    return Provenance(
        state_of(plan, repository),
        {item.name: _digest_of(repository / item.path) for item in plan.bundle.data},
        made,
    )


def state_of(plan: JobPlan, repository: Path) -> GitState | None:
    """Return what git knows of all that decides the bundle.

    Raises `JobError` for a diff with secrets.
    """
    bundle = plan.bundle
    git = git_state(repository, deciding_files(bundle, repository), removable_files(bundle))
    allowed = check_diff(git.diff, repository, plan.request.address, plan.allow) if git else ()
    return replace(git, allowed=allowed) if git else None


def _digest_of(data: Path) -> DataDigest | None:
    try:
        return data_digest(data)
    except OSError:
        # Whoever needs the data reports that.
        return None


def made_here(repository: Path, address: str, arguments: Sequence[str]) -> Made:
    """Return what belongs to a run that this machine starts with these arguments."""
    separator = ("--",) if arguments else ()
    return Made(
        command_line=shlex.join(["./pants", "run", address, *separator, *arguments]),
        branch=git_text(repository, "symbolic-ref", "--quiet", "--short", "HEAD") or None,
        remote=remote_address(repository),
        host=socket.gethostname(),
        system=platform.platform(),
        python=platform.python_version(),
    )


# What Pants reads at the top of the repository.
_SETTINGS = ("pants.toml", ".gitignore")
# Files of the commit that would count again if they came back, wherever they are.
_REMOVABLE = ("*.py", "*.pyi", "BUILD", "*/BUILD", "BUILD.*", "*/BUILD.*")


def deciding_files(bundle: Bundle, repository: Path) -> list[str]:
    """Return code, documents, environments, locks and BUILD files, relative to `repository`.

    Data is not among them, nor are the tools themselves.
    """
    request = bundle.request
    needed = {*bundle.documents, *bundle.sources, *request.deciding_files}
    for unit in bundle.units:
        needed |= {*unit.files.context_files, unit.files.packages.lock}
    folders = {folder for path in needed for folder in PurePosixPath(path).parents}
    build_files = {
        (folder / found.name).as_posix()
        for folder in folders
        for found in (repository / folder).glob("BUILD*")
        if found.name == "BUILD" or found.name.startswith("BUILD.")
    }
    return sorted({*needed, *build_files, *_SETTINGS})


def removable_files(bundle: Bundle) -> list[str]:
    """Return pathspecs of git for files whose absence decides what is in a bundle."""
    named = {PurePosixPath(bundle.request.job_file).parent.as_posix()}
    for unit in bundle.units:
        named |= {path or "." for path in (unit.unit.code.path,) if path is not None}
        named |= {path for path in (unit.unit.build_context,) if path}
    return [*_REMOVABLE, *sorted(f":(literal){path}" for path in named)]

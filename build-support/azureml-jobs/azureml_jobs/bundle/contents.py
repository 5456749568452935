"""A job as a folder of plain Azure ML: the job file, its code, its environment, a manifest."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import posixpath
import shutil
import stat
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import entries_digest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.layout import lay_out
from azureml_jobs.bundle.provenance import GitState
from azureml_jobs.jobfile.document import dump_job_file
from azureml_jobs.jobfile.needs import JobNeeds
from azureml_jobs.protocol import REQUIREMENTS_FILE, SOURCES_FOLDER, JobRequest

MANIFEST_VERSION = 1
JOB_FILE = "azure-ml-job.yaml"
CODE_FOLDER = "code"
ENVIRONMENT_FOLDER = "environment"
DATA_FOLDER = "data"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class BundleFile:
    """One file of the bundle.

    `path` is its name inside `code/` or `environment/`, `source` its path in the repository (or
    what generated it), `content` where its bytes are, `size` in bytes, `sha256` in hex.
    """

    path: str
    source: str
    owner: str
    why: str
    content: Path
    size: int
    sha256: str
    executable: bool


@dataclass(frozen=True)
class LocalData:
    """A data input that the job file names by a local path, relative to the repository's root."""

    name: str
    path: str


@dataclass(frozen=True)
class Bundle:
    """Everything that makes up one bundle, before a byte of it is written."""

    request: JobRequest
    job: Mapping[str, Any]
    code: tuple[BundleFile, ...]
    environment: tuple[BundleFile, ...]
    data: tuple[LocalData, ...]

    @property
    def snapshot_digest(self) -> str:
        """sha256 over names, contents and run bits of `code/`, in hex."""
        return _digest_of(self.code)

    @property
    def environment_digest(self) -> str | None:
        """The same over `environment/`; None when the job file names an environment otherwise."""
        return _digest_of(self.environment) if self.environment else None

    def manifest(self, git: GitState | None) -> dict[str, Any]:
        return {
            "manifest_version": MANIFEST_VERSION,
            "address": self.request.address,
            "job_file": self.request.job_file,
            "snapshot": {"sha256": self.snapshot_digest, "files": _entries(self.code)},
            "environment": (
                {"sha256": self.environment_digest, "files": _entries(self.environment)}
                if self.environment
                else None
            ),
            "packages": {
                "resolve": self.request.packages.resolve,
                "lock": self.request.packages.lock,
                "lock_sha256": self.request.packages.lock_digest,
                "requirements": list(self.request.packages.requirements),
            },
            "data": [{"input": item.name, "path": item.path} for item in self.data],
            "git": {"commit": git.commit, "diff": git.diff} if git else None,
            "versions": dict(self.request.versions),
        }


def plan_bundle(
    request: JobRequest, job: Mapping[str, Any], needs: JobNeeds, folder: Path
) -> Bundle:
    """Decide what the bundle of `job` holds.

    `folder` holds what the plugin gathered: the closure and the build context at their paths in
    the repository below `sources/`, and the generated requirements. Raises `JobError` for two
    files on one name and for a broken environment.
    """
    sources = folder / SOURCES_FOLDER
    by_path = {file.path: file for file in request.files}
    placed = lay_out(
        [(file.path, file.source_root) for file in request.files],
        needs.code_folder,
        request.job_file,
    )
    code = tuple(
        _bundle_file(name, path, by_path[path].owner, by_path[path].why, sources / path)
        for name, path in placed.items()
    )
    environment: tuple[BundleFile, ...] = ()
    if needs.build_context is not None and "conda_file" in job["environment"]:
        # https://learn.microsoft.com/azure/machine-learning/reference-yaml-environment
        raise JobError(
            f"{request.job_file}: environment.conda_file",
            "conda packages go with an `image:`, and this environment has a `build:`",
            "Install them in the Dockerfile, or write `image:` in place of `build:`.",
        )
    if needs.build_context is not None:
        environment = _plan_context(request, job, needs.build_context, folder)
    elif needs.conda_file is not None:
        environment = (_plan_conda_file(request, needs.conda_file, folder),)
    return Bundle(request, job, code, environment, _local_data(job, request.job_file))


def _plan_context(
    request: JobRequest, job: Mapping[str, Any], context: str, folder: Path
) -> tuple[BundleFile, ...]:
    where = f"{request.job_file}: environment.build.path"
    inside = {
        posixpath.relpath(path, context): path
        for path in request.context_files
        if path.startswith(context + "/")
    }
    dockerfile = job["environment"]["build"].get("dockerfile_path") or "Dockerfile"
    if posixpath.normpath(dockerfile) not in inside:
        raise JobError(
            where,
            f"{context} holds no {dockerfile}",
            f"Write {context}/{dockerfile}, or name the folder that holds it.",
        )
    if REQUIREMENTS_FILE in inside:
        raise JobError(
            where,
            f"{context}/{REQUIREMENTS_FILE} stands where the locked packages are written",
            "Remove the file: the packages come from the lock "
            f"{request.packages.lock}, by what the code imports.",
        )
    files = [
        _bundle_file(name, path, "", "in the build context", folder / SOURCES_FOLDER / path)
        for name, path in inside.items()
    ]
    files.append(
        _bundle_file(
            REQUIREMENTS_FILE,
            request.packages.lock,
            "",
            "the locked packages that the code imports",
            folder / REQUIREMENTS_FILE,
        )
    )
    return tuple(sorted(files, key=lambda file: file.path))


def _plan_conda_file(request: JobRequest, conda_file: str, folder: Path) -> BundleFile:
    content = folder / SOURCES_FOLDER / conda_file
    if not content.is_file():
        raise JobError(
            f"{request.job_file}: environment.conda_file",
            f"there is no {conda_file}",
            "Write a path relative to the job file.",
        )
    name = posixpath.basename(conda_file)
    return _bundle_file(name, conda_file, "", "the environment's conda packages", content)


def _bundle_file(path: str, source: str, owner: str, why: str, content: Path) -> BundleFile:
    data = content.read_bytes()
    return BundleFile(
        path=path,
        source=source,
        owner=owner,
        why=why,
        content=content,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        # Not `os.access`, which says no to everything on a file system mounted without `exec`.
        executable=bool(content.stat().st_mode & stat.S_IXUSR),
    )


def _local_data(job: Mapping[str, Any], job_file: str) -> tuple[LocalData, ...]:
    found = []
    for name, value in (job.get("inputs") or {}).items():
        path = value.get("path") if isinstance(value, Mapping) else None
        if not isinstance(path, str) or "://" in path or path.startswith("azureml:"):
            continue
        # An absolute path stays what it is: join() drops what stands before it.
        local = posixpath.normpath(posixpath.join(posixpath.dirname(job_file), path))
        found.append(LocalData(str(name), local))
    return tuple(found)


def _digest_of(files: Sequence[BundleFile]) -> str:
    return entries_digest((file.path, file.sha256, file.executable) for file in files)


def _entries(files: Sequence[BundleFile]) -> list[dict[str, Any]]:
    return [
        {
            "path": file.path,
            "source": file.source,
            "owner": file.owner,
            "sha256": file.sha256,
            "size": file.size,
            "executable": file.executable,
        }
        for file in files
    ]


def write_bundle(
    bundle: Bundle, git: GitState | None, destination: Path, repository: Path, copy_data: bool
) -> None:
    """Write the bundle into `destination`, which does not exist yet.

    With `copy_data` local data inputs are copied in, so that the bundle can be handed on; without
    it the job file refers to them where they are. The caller renames the finished folder into
    place. Raises `OSError` when the disk does not take it.
    """
    destination.mkdir(parents=True)
    # A path with `..` would lead elsewhere from behind a link.
    destination = destination.resolve()
    for folder, files in ((CODE_FOLDER, bundle.code), (ENVIRONMENT_FOLDER, bundle.environment)):
        for file in files:
            target = destination / folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.content, target)
            target.chmod(0o755 if file.executable else 0o644)
    # Where a job without code of its own starts, too.
    (destination / CODE_FOLDER).mkdir(exist_ok=True)
    paths = {}
    for item in bundle.data:
        original = repository / item.path
        if copy_data:
            inside = f"{DATA_FOLDER}/{item.name}/{original.name}"
            _copy_data(original, destination / inside)
            paths[item.name] = f"./{inside}"
        else:
            paths[item.name] = os.path.relpath(original, destination)
    job = _rewritten(bundle, paths)
    manifest = json.dumps(bundle.manifest(git), indent=2, ensure_ascii=True) + "\n"
    for name, text in ((JOB_FILE, dump_job_file(job)), (MANIFEST_FILE, manifest)):
        (destination / name).write_text(text, encoding="utf-8")
        (destination / name).chmod(0o644)
    # Whatever the umask is: another user may run what is in here.
    for path, _, _ in os.walk(destination):
        os.chmod(path, 0o755)


def _copy_data(original: Path, copy: Path) -> None:
    """Copy the contents alone: modes and times of data say nothing, and differ among machines."""
    files = files_below(original) if original.is_dir() else [original]
    (copy if original.is_dir() else copy.parent).mkdir(parents=True)
    for file in files:
        target = copy / file.relative_to(original)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o644)


def files_below(folder: Path, parents: tuple[Path, ...] = ()) -> list[Path]:
    """All files, those behind links to folders included, as Azure ML's own upload has it."""
    real = folder.resolve()
    if real in parents:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        found += files_below(path, (*parents, real)) if path.is_dir() else [path]
    return found


def _rewritten(bundle: Bundle, data_paths: Mapping[str, str]) -> dict[str, Any]:
    """The job with its paths pointing into the bundle."""
    job: dict[str, Any] = deepcopy(dict(bundle.job))
    if bundle.code:
        job["code"] = f"./{CODE_FOLDER}"
    else:
        # Azure ML refuses to upload an empty folder.
        job.pop("code", None)
    if bundle.environment and "build" in job["environment"]:
        job["environment"]["build"]["path"] = f"./{ENVIRONMENT_FOLDER}"
    elif bundle.environment:
        job["environment"]["conda_file"] = f"./{ENVIRONMENT_FOLDER}/{bundle.environment[0].path}"
    for name, path in data_paths.items():
        job["inputs"][name]["path"] = path
    return job

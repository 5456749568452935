"""Decide what is in a bundle, before a byte of it is written."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import basename, splitext
from typing import Any

from azureml_jobs.base.digest import entries_digest, file_digest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.data import LocalData, local_data
from azureml_jobs.bundle.files import BundleFile, lay_out
from azureml_jobs.bundle.names import CODE_FOLDER, JOB_FILE, TAKEN_NAMES
from azureml_jobs.jobfile.documents import mapping_of, value_at
from azureml_jobs.jobfile.paths import unique_name
from azureml_jobs.jobfile.units import CodeUnit, UnitEnvironment, ordered_documents
from azureml_jobs.protocol import (
    REQUIREMENTS_FILE,
    SOURCES_FOLDER,
    JobRequest,
    UnitFiles,
    requirements_file,
)

_PINNED = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class UnitBundle:
    """The code and the environment of one command, as files of the bundle.

    `versions` are those of the packages that the code needs, by their names; `packages_digest` is
    the sha256 of their list with hashes.
    """

    unit: CodeUnit
    files: UnitFiles
    code: tuple[BundleFile, ...]
    environment: tuple[BundleFile, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    packages_digest: str = ""

    @property
    def snapshot_digest(self) -> str:
        """The sha256, in hex, of names, contents and run bits of the code."""
        return _digest(self.code)

    @property
    def code_keys(self) -> tuple[str, ...]:
        """Where the document names the code of the bundle; empty where it does not."""
        unit = self.unit
        is_named = unit.has_code and unit.code_key and unit.code.path is not None
        return (*unit.keys, unit.code_key) if is_named else ()

    @property
    def environment_digest(self) -> str | None:
        """The same of the environment; None when the unit does not define one by files."""
        return _digest(self.environment) if self.environment else None

    def folder(self, folder: str) -> str:
        """Return the unit's own folder in one of the bundle's folders."""
        return f"{folder}/{self.unit.name}".rstrip("/")

    @property
    def installs_lock(self) -> bool:
        """Whether the environment is given the locked packages that the code imports."""
        return any(file.source == self.files.packages.lock for file in self.environment)


@dataclass(frozen=True)
class Bundle:
    """A job as a folder of plain Azure ML: YAML files, code, environments, data, manifest.

    `documents` are the job file and all that it refers to, by their paths in the repository;
    `digests` are the sha256 of their files.
    """

    request: JobRequest
    documents: Mapping[str, Mapping[str, Any]]
    digests: Mapping[str, str]
    units: tuple[UnitBundle, ...]
    data: tuple[LocalData, ...]

    @property
    def documents_in_code(self) -> dict[str, str]:
        """The names in the bundle of documents that are in their own code, by their paths."""
        return {
            unit.unit.document: f"{unit.folder(CODE_FOLDER)}/{basename(unit.unit.document)}"
            for unit in self.units
            if not unit.unit.code_key
        }

    @property
    def document_names(self) -> dict[str, str]:
        """The names in the bundle of all documents but environments, by their paths."""
        fixed = {self.request.job_file: JOB_FILE, **self.documents_in_code}
        names, taken = {}, set(TAKEN_NAMES)
        for path in ordered_documents(self.documents, self.request.job_file):
            stem, ending = splitext(basename(path))
            names[path] = fixed.get(path) or unique_name(stem, taken, ending)
        return names

    @property
    def unit(self) -> UnitBundle:
        """The only unit of a command job."""
        (unit,) = self.units
        return unit

    @property
    def snapshot_digest(self) -> str:
        """The digest of all code: that of the only unit, or one of those of all units."""
        return _one_digest((unit.unit.name, unit.snapshot_digest) for unit in self.units)

    @property
    def environment_digest(self) -> str:
        """The same of all environments that are built from files; empty without one."""
        every = ((unit.unit.name, unit.environment_digest) for unit in self.units)
        built = [(name, digest) for name, digest in every if digest]
        return _one_digest(built) if built else ""

    def node_of(self, unit: UnitBundle) -> Mapping[str, Any]:
        """Return the mapping that has the unit's command and environment."""
        return mapping_of(value_at(self.documents[unit.unit.document], unit.unit.keys))

    def environment_of(self, unit: UnitBundle) -> Any:
        """Return the environment of a unit, a name or a mapping; None without one."""
        own = unit.unit.environment
        return own.value if own else self.node_of(unit).get("environment")

    @property
    def sources(self) -> list[str]:
        """The paths in the repository of all code."""
        return sorted({file.source for unit in self.units for file in unit.code})


def plan_bundle(
    request: JobRequest,
    documents: Mapping[str, Mapping[str, Any]],
    units: Sequence[CodeUnit],
    folder: Path,
) -> Bundle:
    """Return the bundle of a job with these documents and units.

    `folder` has what the plugin gathered: the files and the build contexts at their paths in
    the repository below `sources/`, and the generated requirements. Raises `JobError` for two
    files with one name and for an environment that cannot be built.
    """
    files = {each.name: each for each in request.units}
    bundled = tuple(_unit_bundle(unit, files[unit.name], folder) for unit in units)
    ordered = {path: documents[path] for path in ordered_documents(documents, request.job_file)}
    digests = {path: file_digest(folder / SOURCES_FOLDER / path) for path in documents}
    data = local_data(ordered, request.job_file)
    return Bundle(request, documents, digests, bundled, data)


def _unit_bundle(unit: CodeUnit, files: UnitFiles, folder: Path) -> UnitBundle:
    layout = lay_out(files.files, unit.code.where) if unit.has_code else {}
    code = tuple(
        BundleFile.read(folder / SOURCES_FOLDER / file.path, name, file.path, file.why, file.owner)
        for name, file in layout.items()
    )
    environment = environment_files(unit, files, folder)
    listed = folder / requirements_file(unit.name)
    versions = dict(_PINNED.findall(listed.read_text(encoding="utf-8")))
    return UnitBundle(unit, files, code, environment, versions, file_digest(listed))


def _one_digest(digests: Iterable[tuple[str, str]]) -> str:
    parts = [(name, digest, False) for name, digest in digests]
    return parts[0][1] if len(parts) == 1 else entries_digest(parts)


def _digest(files: Sequence[BundleFile]) -> str:
    return entries_digest((file.path, file.sha256, file.executable) for file in files)


def environment_files(unit: CodeUnit, files: UnitFiles, folder: Path) -> tuple[BundleFile, ...]:
    """Return the files that the environment is built from, none for one that is referred to.

    A build context is given the locked packages that the code imports as `requirements.txt`,
    unless it has that file. Raises `JobError` for an environment that cannot be built.
    """
    environment = unit.environment
    if environment is None:
        return ()
    where = f"{unit.document}: {'.'.join(environment.keys)}"
    if environment.build_context is not None and "conda_file" in environment.value:
        # https://learn.microsoft.com/azure/machine-learning/reference-yaml-environment
        raise JobError(
            f"{where}.conda_file",
            "conda packages need an `image:`, and this environment has a `build:`",
            "Install them in the Dockerfile, or write `image:` in place of `build:`.",
        )
    if environment.build_context is not None:
        return _context_files(environment, environment.build_context, files, folder, where)
    if environment.conda_file is not None:
        return (_conda_file(environment.conda_file, folder, where),)
    return ()


def _context_files(
    environment: UnitEnvironment, context: str, files: UnitFiles, folder: Path, where: str
) -> tuple[BundleFile, ...]:
    dockerfile = environment.value["build"].get("dockerfile_path") or "Dockerfile"
    inside = {
        posixpath.relpath(path, context): path
        for path in files.context_files
        if path.startswith(context + "/")
    }
    if posixpath.normpath(dockerfile) not in inside:
        raise JobError(
            f"{where}.build.path",
            f"there is no {dockerfile} in {context}",
            f"Write {context}/{dockerfile}, or name the folder that has it.",
        )
    found = [
        BundleFile.read(folder / SOURCES_FOLDER / path, name, path, "in the build context")
        for name, path in inside.items()
    ]
    if REQUIREMENTS_FILE not in inside:
        requirements = BundleFile.read(
            folder / requirements_file(files.name),
            REQUIREMENTS_FILE,
            files.packages.lock,
            "the locked packages that the code imports",
        )
        found.append(requirements)
    return tuple(sorted(found, key=lambda file: file.path))


def _conda_file(conda_file: str, folder: Path, where: str) -> BundleFile:
    content = folder / SOURCES_FOLDER / conda_file
    if not content.is_file():
        raise JobError(
            f"{where}.conda_file",
            f"there is no {conda_file}",
            "Write a path relative to the job file.",
        )
    name = posixpath.basename(conda_file)
    return BundleFile.read(content, name, conda_file, "the environment's conda packages")

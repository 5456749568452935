"""Decide what is in a bundle, before a byte of it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import entries_digest
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.data import LocalData, local_data
from azureml_jobs.bundle.environment import environment_files
from azureml_jobs.bundle.layout import lay_out
from azureml_jobs.jobfile.needs import JobNeeds
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest, UnitFiles


@dataclass(frozen=True)
class UnitBundle:
    """The code and the environment of one command, as files of the bundle."""

    files: UnitFiles
    code: tuple[BundleFile, ...]
    environment: tuple[BundleFile, ...]

    @property
    def snapshot_digest(self) -> str:
        """The sha256, in hex, of names, contents and run bits of the code."""
        return _digest(self.code)

    @property
    def environment_digest(self) -> str | None:
        """The same of the environment; None when the job does not define one by files."""
        return _digest(self.environment) if self.environment else None


@dataclass(frozen=True)
class Bundle:
    """A job as a folder of plain Azure ML: job file, code, environment, data, manifest."""

    request: JobRequest
    job: Mapping[str, Any]
    units: tuple[UnitBundle, ...]
    data: tuple[LocalData, ...]

    @property
    def unit(self) -> UnitBundle:
        """The only unit of a command job."""
        (unit,) = self.units
        return unit

    @property
    def sources(self) -> list[str]:
        """The paths in the repository of all code."""
        return [file.source for unit in self.units for file in unit.code]


def plan_bundle(
    request: JobRequest, job: Mapping[str, Any], needs: JobNeeds, folder: Path
) -> Bundle:
    """Return the bundle of `job`.

    `folder` has what the plugin gathered: the files and the build context at their paths in
    the repository below `sources/`, and the generated requirements. Raises `JobError` for two
    files with one name and for an environment that cannot be built.
    """
    units = tuple(_unit_bundle(request, unit, job, needs, folder) for unit in request.units)
    return Bundle(request, job, units, local_data(job, request.job_file))


def _unit_bundle(
    request: JobRequest, unit: UnitFiles, job: Mapping[str, Any], needs: JobNeeds, folder: Path
) -> UnitBundle:
    code = tuple(
        BundleFile.read(folder / SOURCES_FOLDER / file.path, name, file.path, file.why, file.owner)
        for name, file in lay_out(unit.files, f"{request.job_file}: code").items()
    )
    return UnitBundle(unit, code, environment_files(request, unit, job, needs, folder))


def _digest(files: Sequence[BundleFile]) -> str:
    return entries_digest((file.path, file.sha256, file.executable) for file in files)

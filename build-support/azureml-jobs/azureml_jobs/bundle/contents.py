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
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest


@dataclass(frozen=True)
class Bundle:
    """A job as a folder of plain Azure ML: job file, code, environment, data, manifest."""

    request: JobRequest
    job: Mapping[str, Any]
    code: tuple[BundleFile, ...]
    environment: tuple[BundleFile, ...]
    data: tuple[LocalData, ...]

    @property
    def snapshot_digest(self) -> str:
        """The sha256, in hex, of names, contents and run bits of the code."""
        return _digest(self.code)

    @property
    def environment_digest(self) -> str | None:
        """The same of the environment; None when the job does not define one by files."""
        return _digest(self.environment) if self.environment else None


def plan_bundle(
    request: JobRequest, job: Mapping[str, Any], needs: JobNeeds, folder: Path
) -> Bundle:
    """Return the bundle of `job`.

    `folder` has what the plugin gathered: the files and the build context at their paths in
    the repository below `sources/`, and the generated requirements. Raises `JobError` for two
    files with one name and for an environment that cannot be built.
    """
    by_path = {file.path: file for file in request.files}
    layout = lay_out(
        [(file.path, file.source_root) for file in request.files],
        needs.code_folder,
        request.job_file,
    )
    code = tuple(
        BundleFile.read(
            folder / SOURCES_FOLDER / path, name, path, by_path[path].why, by_path[path].owner
        )
        for name, path in layout.items()
    )
    environment = environment_files(request, job, needs, folder)
    return Bundle(request, job, code, environment, local_data(job, request.job_file))


def _digest(files: Sequence[BundleFile]) -> str:
    return entries_digest((file.path, file.sha256, file.executable) for file in files)

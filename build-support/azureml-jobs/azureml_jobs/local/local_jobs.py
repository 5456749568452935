"""The commands `:aml -- jobs …` on jobs of the local workspace."""

from __future__ import annotations

import builtins
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.jobs import DownloadResult, JobSelection
from azureml_jobs.bundle.names import CODE_FOLDER, DIFF_FILE, MANIFEST_FILE
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.download import download
from azureml_jobs.local.rows import child_rows, curves, describe, top_rows
from azureml_jobs.local.state import current_record
from azureml_jobs.local.stream import copy_log, stream
from azureml_jobs.local.workspace import LocalWorkspace


class LocalJobs:
    """The jobs of the local workspace; `azureml_jobs.azure.jobs` has the same methods for Azure."""

    def __init__(self, root: Path) -> None:
        self._workspace = LocalWorkspace(root)

    def list(self, wanted: JobSelection) -> list[dict[str, Any]]:
        rows = top_rows(self._workspace.jobs(), wanted.archived)
        return [row for row in rows if wanted.takes(row)][: wanted.count]

    def describe(self, name: str) -> dict[str, Any]:
        return {**describe(self._workspace.job(name)), "children": self.children(name)}

    def logged(self, names: Sequence[str]) -> builtins.list[dict[str, Any]]:
        return [describe(self._workspace.job(name)) for name in names]

    def curves(
        self, names: Sequence[str], metrics: Sequence[str]
    ) -> dict[str, dict[str, builtins.list[dict[str, Any]]]]:
        return {name: curves(self._workspace.job(name), metrics) for name in names}

    def before(self, job: Mapping[str, Any]) -> str | None:
        if job["parent"] or not job["address"]:
            return None
        every = self._workspace.jobs()
        older = (each for each in every if each.address == job["address"] and not each.parent)
        return next((each.name for each in older if each.created < job["created"]), None)

    def children(self, name: str) -> builtins.list[dict[str, Any]]:
        return child_rows(self._workspace.job(name))

    def stream(self, name: str, out: BinaryIO) -> int:
        return stream(self._workspace.job(name), out)

    def log(self, name: str, out: BinaryIO) -> None:
        copy_log(self._workspace.job(name), out)

    def cancel(self, name: str) -> str:
        return cancel(self._workspace.job(name)).status

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult:
        return download(self._workspace.job(name), destination, output_name)

    def record(self, name: str, destination: Path, with_code: bool) -> None:
        """Copy manifest, changes and code into a new folder; those of a step are its root's."""
        folder = self._workspace.job(name)
        bundle = folder.top(folder.read()).bundle
        if not (bundle / MANIFEST_FILE).is_file():
            raise JobError(
                name,
                "the job has no record of what it ran",
                "Name a job that `./pants run` made, and whose folder is whole.",
            )
        try:
            destination.mkdir(parents=True)
            for part in (MANIFEST_FILE, DIFF_FILE, *([CODE_FOLDER] if with_code else [])):
                if (bundle / part).is_dir():
                    shutil.copytree(bundle / part, destination / part, symlinks=True)
                elif os.path.lexists(bundle / part):
                    shutil.copyfile(bundle / part, destination / part)
        except OSError as error:
            what = f"its record could not be copied to {destination}: {error}"
            raise OutsideError(name, what) from error

    def archive(self, name: str) -> None:
        """Leave a job out of lists. Raises `JobError` while it runs: its runner owns the record."""
        folder = self._workspace.job(name)
        record = current_record(folder)
        if not record.has_ended:
            raise JobError(
                name,
                f"the job has not ended yet, its status is {record.status}",
                f"End it first: `./pants run :aml -- jobs cancel {name}`.",
            )
        record.is_archived = True
        folder.save(record)

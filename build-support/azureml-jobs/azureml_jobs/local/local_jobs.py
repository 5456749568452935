"""The commands `:aml -- jobs …` on jobs of the local workspace."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.jobs import JobSelection
from azureml_jobs.local.workspace import LocalWorkspace

if TYPE_CHECKING:
    from azureml_jobs.base.jobs import DownloadResult


class LocalJobs:
    """The jobs of the local workspace; `azureml_jobs.azure.jobs` has the same methods for Azure."""

    def __init__(self, root: Path) -> None:
        self._workspace = LocalWorkspace(root)

    def list(self, wanted: JobSelection) -> list[dict[str, Any]]:
        from azureml_jobs.local.tree import top_rows

        rows = top_rows(self._workspace.jobs(), wanted.archived)
        return [row for row in rows if wanted.takes(row)][: wanted.count]

    def describe(self, name: str) -> dict[str, Any]:
        from azureml_jobs.local.describe import describe

        return {**describe(self._workspace.job(name)), "children": self.children(name)}

    def logged(self, names: Sequence[str]) -> builtins.list[dict[str, Any]]:
        from azureml_jobs.local.describe import describe

        return [describe(self._workspace.job(name)) for name in names]

    def curves(
        self, names: Sequence[str], metrics: Sequence[str]
    ) -> dict[str, dict[str, builtins.list[dict[str, Any]]]]:
        from azureml_jobs.local.describe import curves

        return {name: curves(self._workspace.job(name), metrics) for name in names}

    def before(self, job: Mapping[str, Any]) -> str | None:
        if job["parent"] or not job["address"]:
            return None
        every = self._workspace.jobs()
        older = (each for each in every if each.address == job["address"] and not each.parent)
        return next((each.name for each in older if each.created < job["created"]), None)

    def children(self, name: str) -> builtins.list[dict[str, Any]]:
        from azureml_jobs.local.tree import child_rows

        return child_rows(self._workspace.job(name))

    def stream(self, name: str, out: BinaryIO) -> int:
        from azureml_jobs.local.stream import stream

        return stream(self._workspace.job(name), out)

    def log(self, name: str, out: BinaryIO) -> None:
        from azureml_jobs.local.stream import copy_log

        copy_log(self._workspace.job(name), out)

    def cancel(self, name: str) -> str:
        from azureml_jobs.local.cancel import cancel

        return cancel(self._workspace.job(name)).status

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult:
        from azureml_jobs.local.download import download

        return download(self._workspace.job(name), destination, output_name)

    def record(self, name: str, destination: Path, with_code: bool) -> None:
        from azureml_jobs.local.what_ran import copy_record

        copy_record(self._workspace.job(name), destination, with_code)

    def archive(self, name: str) -> None:
        """Leave a job out of lists. Raises `JobError` while it runs: its runner owns the record."""
        from azureml_jobs.local.state import current_record

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

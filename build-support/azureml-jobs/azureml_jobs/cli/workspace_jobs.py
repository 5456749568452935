"""What the commands of `:aml -- jobs` ask of a workspace, local or in Azure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace

if TYPE_CHECKING:
    from azureml_jobs.base.jobs import DownloadResult, JobSelection

Row = dict[str, Any]
# The values of metrics by name.
Curves = Mapping[str, Sequence[Row]]


class WorkspaceJobs(Protocol):
    """The jobs of one workspace.

    A row has `children`, the rows of the jobs that it started; None where that is not asked for.
    """

    def list(self, wanted: JobSelection) -> Sequence[Row]:
        """Return rows of the jobs that no other started, newest first."""

    def describe(self, name: str) -> Row:
        """Return what is known of a job: its row, what was submitted, and what it logged."""

    def logged(self, names: Sequence[str]) -> Sequence[Row]:
        """Return the row of each job with its `params` and the last values of its `metrics`."""

    def curves(self, names: Sequence[str], metrics: Sequence[str]) -> Mapping[str, Curves]:
        """Return all values of these metrics of each job.

        A value has `step`, `timestamp` in milliseconds, and `value`.
        """

    def before(self, job: Mapping[str, Any]) -> str | None:
        """Return the name of the job of the same target before a described one, if any."""

    def children(self, name: str) -> Sequence[Row]: ...

    def stream(self, name: str, out: BinaryIO) -> int: ...

    def log(self, name: str, out: BinaryIO) -> None:
        """Write to `out` what the job and those that it started have printed so far."""

    def cancel(self, name: str) -> str: ...

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult: ...

    def record(self, name: str, destination: Path, with_code: bool) -> None:
        """Write manifest and changes of what a job ran into a new folder, and its code if asked.

        Raises `JobError` for a job that has no such record.
        """

    def archive(self, name: str) -> None: ...


def jobs_of(workspace: AzureWorkspace | None, repository: Path, login: bool) -> WorkspaceJobs:
    """Return the jobs of a workspace in Azure, or of the local one."""
    if workspace is None:
        from azureml_jobs.local.local_jobs import LocalJobs

        return LocalJobs(repository / LOCAL_FOLDER)
    from azureml_jobs.azure.jobs import AzureJobs  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    return AzureJobs(ConnectedWorkspace(workspace, login))


def is_on_this_machine(name: str, repository: Path) -> bool:
    """Return whether the local workspace has a job of this name."""
    return (repository / LOCAL_FOLDER / "jobs" / name / "job.json").is_file()

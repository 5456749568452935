"""Jobs of a workspace in Azure, for the commands of `:aml -- jobs`."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from azureml_jobs.azure import run_history
from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.rows import add_children, add_metrics, children_of, row_of
from azureml_jobs.azure.stream import copy_log, stream
from azureml_jobs.azure.workspace import ConnectedWorkspace, artifacts_address, job_of, job_of_run
from azureml_jobs.base.console import print_warning
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.jobs import DownloadResult, JobSelection
from azureml_jobs.base.parallel import BackgroundCall, read_all

Value = TypeVar("Value")
Rows = list[dict[str, Any]]

_NOTHING_LOGGED: dict[str, dict[str, Any]] = {"params": {}, "metrics": {}}
# Without a number, a workspace's years of jobs would be fetched.
_DEFAULT_COUNT = 100
_CANCEL_SECONDS = 120.0
_POLL_SECONDS = 1.0


class AzureJobs:
    """The jobs of one workspace; `azureml_jobs.local.local_jobs` has those of this machine."""

    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self.workspace = workspace

    def list(self, wanted: JobSelection) -> list[dict[str, Any]]:
        count = wanted.count or _DEFAULT_COUNT
        if wanted.experiment is None:
            rows = self._listed(wanted, count)
        else:
            runs = run_history.runs_in(self.workspace, wanted, count)
            rows = [row_of(job_of_run(run, wanted.experiment), run) for run in runs]
        _or_warn("steps and trials", partial(add_children, self.workspace, rows), None)
        return sorted(rows, key=lambda row: str(row["created"]), reverse=True)

    def _listed(self, wanted: JobSelection, count: int) -> builtins.list[dict[str, Any]]:
        """Return rows of the documented list of jobs, which has no filter for a status."""
        view = "All" if wanted.archived else "ActiveOnly"
        every = self.workspace.pages("jobs", listViewType=view)
        status = wanted.status
        fitting = (job for job in every if status in (None, job["properties"]["status"]))
        jobs = list(islice(fitting, count))
        # A job itself has no times.
        ask_runs = partial(run_history.runs_of, self.workspace, [job["name"] for job in jobs])
        runs: dict[str, dict[str, Any]] = _or_warn("times", ask_runs, {})
        return [row_of(job, runs.get(job["name"], {})) for job in jobs]

    def describe(self, name: str) -> dict[str, Any]:
        """Return everything about one job, in the same form as the local workspace.

        What run history or MLflow does not give is left out, with a warning.
        """
        workspace = self.workspace
        job = job_of(workspace, name)
        experiment = str(job["properties"].get("experimentName") or "")
        details = BackgroundCall(partial(run_history.details_of, workspace, name))
        logged_values = BackgroundCall(partial(run_history.logged_by, workspace, name))
        artifact_paths = BackgroundCall(
            partial(run_history.artifacts_of, workspace, experiment, name)
        )
        run: dict[str, Any] = _or_warn("times", details.result, {})
        row = row_of(job, run)
        _or_warn("steps and trials", partial(add_children, workspace, [row]), None)
        _or_warn("metrics of trials", partial(add_metrics, workspace, row), None)
        logged = _or_warn("parameters and metrics", logged_values.result, _NOTHING_LOGGED)
        artifacts: list[str] = _or_warn("artifacts", artifact_paths.result, [])
        return {
            **row,
            **_definition(job["properties"]),
            "log": _log_address(name, [*(run.get("logFiles") or ()), *artifacts]),
            "studio": _studio_link(self.workspace, job),
            **logged,
            "artifacts": artifacts,
        }

    def logged(self, names: Sequence[str]) -> Rows:
        """Return the rows of jobs with what they logged, by requests at the same time."""
        ask_runs = partial(run_history.runs_of, self.workspace, names)
        runs: dict[str, dict[str, Any]] = _or_warn("times", ask_runs, {})
        rows = [
            row_of(job_of_run(run, "") if run else job_of(self.workspace, name), run)
            for name in names
            for run in [runs.get(name, {})]
        ]
        ask = partial(read_all, names, partial(run_history.logged_by, self.workspace))
        logged: dict[str, Any] = _or_warn("parameters and metrics", ask, {})
        return [{**row, **logged.get(row["name"], _NOTHING_LOGGED)} for row in rows]

    def curves(self, names: Sequence[str], metrics: Sequence[str]) -> dict[str, dict[str, Rows]]:
        ask = partial(run_history.curves_of, self.workspace, names, metrics)
        return _or_warn("curves of metrics", ask, {name: {} for name in names})

    def before(self, job: Mapping[str, Any]) -> str | None:
        """Return the next older job of the same target, among the newest of its experiment."""
        if job["parent"] or not job["address"]:
            return None
        wanted = JobSelection(experiment=job["experiment_name"])
        ask = partial(run_history.runs_in, self.workspace, wanted, _DEFAULT_COUNT)
        found: Rows = _or_warn("earlier jobs", ask, [])
        runs = iter(found)
        # Not by its time: the job itself and its run have different ones.
        any(run["runId"] == job["name"] for run in runs)
        address = ("azureml_jobs.address", job["address"])
        older = (run["runId"] for run in runs if address in (run.get("properties") or {}).items())
        return next(older, None)

    def children(self, name: str) -> Rows:
        return children_of(self.workspace, job_of(self.workspace, name))

    def stream(self, name: str, out: BinaryIO) -> int:
        return stream(self.workspace, name, out)

    def log(self, name: str, out: BinaryIO) -> None:
        copy_log(self.workspace, name, out)

    def cancel(self, name: str) -> str:
        """Cancel a job and wait until it has ended; return its status then."""
        job = job_of(self.workspace, name)["properties"]
        if job.get("root"):
            raise JobError(
                name,
                "it is a step of a pipeline, and Azure ML cancels only the whole",
                f"Cancel that: `./pants run :aml -- jobs cancel {job['root']}`.",
            )
        status = job["status"]
        if status in ENDED:
            raise JobError(
                name,
                f"the job has ended already, its status is {status}",
                f"See it: `./pants run :aml -- jobs show {name}`.",
            )
        try:
            self.workspace.send("POST", "jobs", name, "cancel")
        except ServiceError:
            # It may have ended meanwhile.
            if job_of(self.workspace, name)["properties"]["status"] not in ENDED:
                raise
        deadline = time.monotonic() + _CANCEL_SECONDS
        while time.monotonic() < deadline:
            status = job_of(self.workspace, name)["properties"]["status"]
            if status in ENDED:
                break
            time.sleep(_POLL_SECONDS)
        return str(status)

    def download(self, name: str, destination: Path, output_name: str | None) -> DownloadResult:
        from azureml_jobs.azure.download import download

        return download(self.workspace, name, destination, output_name)

    def record(self, name: str, destination: Path, with_code: bool) -> None:
        from azureml_jobs.azure.what_ran import download_record

        download_record(self.workspace, name, destination, with_code)

    def archive(self, name: str) -> None:
        """Hide a job from lists, as the studio does.

        The documented PUT of a job refuses what its own GET returned (azure-ai-ml avoids it, too:
        `_archive_or_restore` in `operations/_job_operations.py`).
        """
        job = job_of(self.workspace, name)["properties"]
        self.workspace.history(
            "PATCH", f"experiments/{job['experimentName']}/runs/{name}", {"hidden": True}
        )


def _definition(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was submitted."""
    outputs = properties.get("outputs") or {}
    return {
        "description": properties.get("description") or "",
        "command": properties.get("command") or "",
        "compute": str(properties.get("computeId") or "").rpartition("/")[2],
        "environment": properties.get("environmentId") or "",
        "inputs": properties.get("inputs") or {},
        "outputs": {
            key: str((value or {}).get("uri") or "")
            for key, value in outputs.items()
            if key != "default"
        },
        "properties": properties.get("properties") or {},
        # Values may be secrets.
        "environment_variables": sorted(properties.get("environmentVariables") or {}),
        "tags": properties.get("tags") or {},
    }


def _or_warn(what: str, call: Callable[[], Value], otherwise: Value) -> Value:
    """Return the value of `call` or, when the service fails, `otherwise`, with a warning."""
    try:
        return call()
    except OutsideError as error:
        print_warning(f"{what} are left out: {error.where}: {error.what}")
        return otherwise


def _log_address(name: str, files: Iterable[str]) -> str:
    """Return the address of the log, or of the first of several; empty before there is one."""
    printed = sorted(file for file in files if run_history.PRINTED.fullmatch(file))
    return f"{artifacts_address(name)}{printed[0]}" if printed else ""


def _studio_link(workspace: ConnectedWorkspace, job: Mapping[str, Any]) -> str:
    services = job["properties"].get("services") or {}
    return str((services.get("Studio") or {}).get("endpoint") or workspace.studio_link(job["name"]))

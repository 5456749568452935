"""Jobs of a workspace in Azure, for the commands of `:aml -- jobs`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from azureml_jobs.azure import run_history
from azureml_jobs.azure.parallel import BackgroundCall
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.workspace import ConnectedWorkspace, artifacts_address, job_of
from azureml_jobs.base.console import print_warning
from azureml_jobs.base.download_result import DownloadResult
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.job_status import COMPLETED, ENDED

Value = TypeVar("Value")

_NOTHING_LOGGED: dict[str, dict[str, Any]] = {"params": {}, "metrics": {}}
# Without a number, a workspace's years of jobs would be fetched.
_DEFAULT_COUNT = 100
_CANCEL_SECONDS = 120.0
_POLL_SECONDS = 1.0


class AzureJobs:
    """The jobs of one workspace; `azureml_jobs.local.local_jobs` has those of this machine."""

    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self.workspace = workspace

    def list(self, status: str | None, count: int | None, archived: bool) -> list[dict[str, Any]]:
        """Return rows of jobs, newest first."""
        view = "All" if archived else "ActiveOnly"
        jobs: list[dict[str, Any]] = []
        for job in self.workspace.pages("jobs", listViewType=view):
            if status is None or job["properties"]["status"] == status:
                jobs.append(job)
            if len(jobs) >= (count or _DEFAULT_COUNT):
                break
        names = [job["name"] for job in jobs]
        # A job itself has no times.
        ask_runs = partial(run_history.runs_of, self.workspace, names)
        runs: dict[str, dict[str, Any]] = _or_warn("times", ask_runs, {})
        rows = [_summary(job, runs.get(job["name"], {})) for job in jobs]
        return sorted(rows, key=lambda row: str(row["created"]), reverse=True)

    def describe(self, name: str, whole: bool) -> dict[str, Any]:
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
        logged = _or_warn("parameters and metrics", logged_values.result, _NOTHING_LOGGED)
        artifacts: list[str] = _or_warn("artifacts", artifact_paths.result, [])
        curves: dict[str, Any] = {}
        if whole:
            ask_curves = partial(run_history.curves_of, workspace, name, sorted(logged["metrics"]))
            found: dict[str, Any] = _or_warn("curves of metrics", ask_curves, {})
            curves = {"metric_history": found}
        return {
            **_summary(job, run),
            **_definition(job["properties"]),
            "log": _log_address(name, [*(run.get("logFiles") or ()), *artifacts]),
            "folder": _studio_link(self.workspace, job),
            **logged,
            **curves,
            "artifacts": artifacts,
        }

    def stream(self, name: str, out: BinaryIO) -> int:
        from azureml_jobs.azure.stream import stream

        job_of(self.workspace, name)
        return stream(self.workspace, name, out)

    def cancel(self, name: str) -> str:
        """Cancel a job and wait until it has ended; return its status then."""
        status = job_of(self.workspace, name)["properties"]["status"]
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

    def archive(self, name: str) -> None:
        """Hide a job from lists, as the studio does.

        The documented PUT of a job refuses what its own GET returned (azure-ai-ml avoids it, too:
        `_archive_or_restore` in `operations/_job_operations.py`).
        """
        job = job_of(self.workspace, name)["properties"]
        self.workspace.history(
            "PATCH", f"experiments/{job['experimentName']}/runs/{name}", {"hidden": True}
        )


def _summary(job: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    known = job["properties"]
    started, ended = (_time(run.get(key)) for key in ("startTimeUtc", "endTimeUtc"))
    has_ended = known["status"] in ENDED
    duration = None
    if started is not None and (ended is not None or not has_ended):
        duration = round(((ended or datetime.now(timezone.utc)) - started).total_seconds(), 3)
    created = _time(job.get("systemData", {}).get("createdAt"))
    error = run_history.error_of(run) or None
    exit_code = 0 if known["status"] == COMPLETED else run_history.exit_status_in(error or "")
    return {
        "name": job["name"],
        "display_name": known.get("displayName") or "",
        "experiment_name": known.get("experimentName") or "",
        "status": known["status"],
        "address": (known.get("properties") or {}).get("azureml_jobs.address", ""),
        "created": created.isoformat() if created else "",
        "started": started.isoformat() if started else None,
        "ended": ended.isoformat() if ended else None,
        "duration": duration,
        "exit_code": exit_code,
        "error": error,
    }


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


def _time(text: Any) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise OutsideError("Azure", f"the service returned {text} as a time") from error
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

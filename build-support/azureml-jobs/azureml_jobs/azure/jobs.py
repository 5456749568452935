"""Jobs of a workspace in Azure, as `:aml -- jobs` shows and steers them."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, Mapping, Optional

from azureml_jobs.azure.connection import ServiceError
from azureml_jobs.azure.session import Session
from azureml_jobs.azure.workspace import Workspace
from azureml_jobs.errors import JobError, OutsideError
from azureml_jobs.local import record

ENDED = record.ENDED
# Without a number, a workspace's years of jobs would be fetched.
_DEFAULT_COUNT = 100
_CANCEL_SECONDS = 120.0
_POLL_SECONDS = 1.0


class AzureJobs:
    """The jobs of one workspace; the other place for them is `azureml_jobs.local.steered`."""

    def __init__(self, session: Session) -> None:
        self.workspace = session.workspace

    def list(
        self, status: Optional[str], count: Optional[int], archived: bool
    ) -> list[dict[str, Any]]:
        """Rows of jobs, newest first."""
        view = "All" if archived else "ActiveOnly"
        rows = []
        for job in self.workspace.pages("jobs", listViewType=view):
            row = _summary(job)
            if status is None or row["status"] == status:
                rows.append(row)
            if len(rows) >= (count or _DEFAULT_COUNT):
                break
        return sorted(rows, key=lambda row: str(row["created"]), reverse=True)

    def describe(self, name: str) -> dict[str, Any]:
        """Everything about one job, in the form of the local workspace's."""
        job = job_of(self.workspace, name)
        known = job["properties"]
        run = _run(self.workspace, name)
        logged = _logged(self.workspace, name)
        return {
            **_summary(job, run),
            "description": known.get("description") or "",
            "command": known.get("command") or "",
            "compute": str(known.get("computeId") or "").rpartition("/")[2],
            "environment": known.get("environmentId") or "",
            "log": "",
            "folder": _studio(self.workspace, job),
            "inputs": known.get("inputs") or {},
            "outputs": {
                key: str((value or {}).get("uri") or "")
                for key, value in (known.get("outputs") or {}).items()
                if key != "default"
            },
            "properties": known.get("properties") or {},
            # Values may be secrets.
            "environment_variables": sorted(known.get("environmentVariables") or {}),
            "tags": known.get("tags") or {},
            **logged,
            "artifacts": [],
        }

    def stream(self, name: str, out: BinaryIO) -> int:
        from azureml_jobs.azure.stream import stream

        job_of(self.workspace, name)
        return stream(self.workspace, name, out)

    def cancel(self, name: str) -> str:
        """Ask for the end of a job and wait for it; its status then."""
        status = job_of(self.workspace, name)["properties"]["status"]
        if status in ENDED:
            raise JobError(
                name,
                f"the job has ended already, its status is {status}",
                f"See it: `./pants run :aml -- jobs show {name}`.",
            )
        self.workspace.send("POST", "jobs", name, "cancel")
        deadline = time.monotonic() + _CANCEL_SECONDS
        while time.monotonic() < deadline:
            status = job_of(self.workspace, name)["properties"]["status"]
            if status in ENDED:
                break
            time.sleep(_POLL_SECONDS)
        return str(status)

    def download(self, name: str, destination: Path, output_name: Optional[str]) -> int:
        from azureml_jobs.azure.download import download

        return download(self.workspace, name, destination, output_name)

    def archive(self, name: str) -> None:
        """Hide a job from lists, as the studio does it.

        The documented PUT of the job refuses what its own GET gave (azure-ai-ml goes round it, too:
        `_archive_or_restore` in `operations/_job_operations.py`).
        """
        job = job_of(self.workspace, name)["properties"]
        self.workspace.history(
            "PATCH", f"experiments/{job['experimentName']}/runs/{name}", {"hidden": True}
        )


def job_of(workspace: Workspace, name: str) -> dict[str, Any]:
    """The job as the service has it. Raises `JobError` for a name that it does not know."""
    job: dict[str, Any] | None = workspace.get("jobs", name)
    if job is None:
        raise JobError(
            name,
            f"{workspace.place.name} has no such job",
            "`./pants run :aml -- jobs list` lists them; with `--local`, those of this machine.",
        )
    return job


def _summary(job: Mapping[str, Any], run: Mapping[str, Any] | None = None) -> dict[str, Any]:
    known = job["properties"]
    started, ended = (_moment((run or {}).get(key)) for key in ("startTimeUtc", "endTimeUtc"))
    duration = None
    if started is not None:
        duration = round(((ended or datetime.now(timezone.utc)) - started).total_seconds(), 3)
    created = _moment(job.get("systemData", {}).get("createdAt"))
    error = (run or {}).get("error") or {}
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
        "exit_code": None,
        "error": (error.get("error") or error).get("message"),
    }


def _run(workspace: Workspace, name: str) -> dict[str, Any] | None:
    try:
        run: dict[str, Any] = workspace.history("GET", f"runs/{name}")
        return run
    except ServiceError as error:
        # A job that waits for its cluster may have no run yet.
        if error.status_code != 404:
            raise
        return None


def _logged(workspace: Workspace, name: str) -> dict[str, Any]:
    """Parameters and metrics, from the workspace's MLflow server."""
    given = str(workspace.details["properties"].get("mlFlowTrackingUri") or "")
    empty: dict[str, Any] = {"params": {}, "metrics": {}}
    if not given:
        return empty
    url = f"{given.replace('azureml://', 'https://', 1)}/api/2.0/mlflow/runs/get?run_id={name}"
    answer = workspace.connection.request(
        *("GET", url),
        scope=workspace.cloud.management_scope,
        accept=lambda status: status in (200, 404),
    )
    if answer.status == 404:
        return empty
    data = answer.json()["run"].get("data") or {}
    return {
        key: {each["key"]: each["value"] for each in data.get(key) or ()}
        for key in ("params", "metrics")
    }


def _studio(workspace: Workspace, job: Mapping[str, Any]) -> str:
    services = job["properties"].get("services") or {}
    return str((services.get("Studio") or {}).get("endpoint") or workspace.studio_link(job["name"]))


def _moment(text: Any) -> datetime | None:
    if not text:
        return None
    import re

    # Azure writes seven digits, Python 3.9 reads six.
    plain = re.sub(r"(\.\d{6})\d+", r"\1", str(text)).replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError as error:
        raise OutsideError("Azure", f"the service gives {text} as a moment") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

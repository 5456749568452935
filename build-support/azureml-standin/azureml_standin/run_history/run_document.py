"""A run as run history shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_standin.execution.execution import RunView

_ASSETS = "azureml://locations/standin/workspaces/standin/data/"


def run_document(job: Mapping[str, Any], view: RunView) -> dict[str, Any]:
    """Describe a run; `job` is what the control plane keeps of it."""
    name, properties = job["name"], job["properties"]
    outputs = properties.get("outputs") or {}
    return {
        "runId": name,
        "rootRunId": name,
        "parentRunId": None,
        "experimentId": properties.get("experimentName") or "Default",
        "displayName": properties.get("displayName") or name,
        "description": properties.get("description"),
        "status": view.status,
        "runType": "azureml.run",
        "createdUtc": job["createdAt"],
        "createdTimeUtc": job["createdAt"],
        "startTimeUtc": view.started,
        "endTimeUtc": view.ended,
        "error": _error(view),
        "warnings": None,
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "outputs": {
            key: {"assetId": f"{_ASSETS}{name}/outputs/{key}", "type": kind}
            for key, kind in {
                "default": "uri_folder",
                **{key: given["jobOutputType"] for key, given in outputs.items()},
            }.items()
        },
    }


def _error(view: RunView) -> Mapping[str, Any] | None:
    if view.status != "Failed":
        return None
    message = view.error or "The job failed."
    if view.exit_code:
        # In the words of Azure ML.
        message = (
            f"Execution failed. User process 'bash' exited with status code {view.exit_code}. "
            "Please check log file 'user_logs/std_log.txt' for error details."
        )
    return {
        "error": {
            "code": "UserError",
            "message": message,
            "messageParameters": {},
            "details": [],
        },
        "time": view.ended,
    }

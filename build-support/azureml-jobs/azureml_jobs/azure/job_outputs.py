"""Where the outputs of a job are, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_jobs.azure.run_history import outputs_of
from azureml_jobs.azure.workspace import (
    DEFAULT_DATASTORE,
    ConnectedWorkspace,
    artifacts_address,
)
from azureml_jobs.base.download_result import DEFAULT_OUTPUT
from azureml_jobs.base.errors import JobError


def selected_outputs(
    workspace: ConnectedWorkspace, job: Mapping[str, Any], output_name: str | None
) -> dict[str, str]:
    """Return the addresses of all outputs of a job, or of one. Raises `JobError` without it."""
    properties = job["properties"]
    name = reused_by(properties) or job["name"]
    addresses = {DEFAULT_OUTPUT: artifacts_address(name)}
    for key, value in (properties.get("outputs") or {}).items():
        # The service writes here unless the job file says otherwise.
        default = f"azureml://datastores/{DEFAULT_DATASTORE}/paths/azureml/{name}/{key}/"
        uri = (value or {}).get("uri") or addresses.get(key) or default
        # The service only fills in the name while the job runs.
        addresses[key] = str(uri).replace("${{name}}", name).replace("${{output_name}}", key)
    if properties["jobType"] == "Pipeline" or properties.get("root"):
        # The outputs of a pipeline are those of steps, and what a step has, only its run says.
        run = workspace.history("GET", f"runs/{name}") or {}
        addresses = {DEFAULT_OUTPUT: addresses[DEFAULT_OUTPUT], **outputs_of(workspace, run)}
    if output_name is None:
        return addresses
    if output_name not in addresses:
        listed = ", ".join(sorted(addresses))
        raise JobError(name, f"the job has no output `{output_name}`", f"Its outputs: {listed}.")
    return {output_name: addresses[output_name]}


def reused_by(properties: Mapping[str, Any]) -> str:
    """Return the name of the job whose outputs a step has, instead of its own.

    `PipelineConstants` in azure-ai-ml has the names of these properties.
    """
    marks = properties.get("properties") or {}
    is_reused = str(marks.get("azureml.isreused")).lower() == "true"
    return str(marks.get("azureml.reusedrunid") or "") if is_reused else ""

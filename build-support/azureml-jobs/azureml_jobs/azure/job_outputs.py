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
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.jobs import DEFAULT_OUTPUT


def selected_outputs(
    workspace: ConnectedWorkspace, job: Mapping[str, Any], output_name: str | None
) -> dict[str, str]:
    """Return the addresses of all outputs of a job, or of one. Raises `JobError` without it."""
    properties = job["properties"]
    name = reused_by(properties) or job["name"]
    artifacts = artifacts_address(name)
    written = {
        key: str((value or {}).get("uri") or "")
        for key, value in (properties.get("outputs") or {}).items()
    }
    # The outputs of a pipeline are those of steps, and what a step has, only its run says.
    is_told_by_run = properties["jobType"] == "Pipeline" or bool(properties.get("root"))
    addresses = {DEFAULT_OUTPUT: artifacts}
    if is_told_by_run or not all(written.values()):
        addresses = {DEFAULT_OUTPUT: artifacts, **_outputs_of_run(workspace, name)}
    for key, uri in ({} if is_told_by_run else written).items():
        # Where the service writes unless something says otherwise.
        usual = f"azureml://datastores/{DEFAULT_DATASTORE}/paths/azureml/{name}/{key}/"
        uri = uri or addresses.get(key) or usual
        # The service only fills in the name while the job runs.
        addresses[key] = uri.replace("${{name}}", name).replace("${{output_name}}", key)
    if output_name is None:
        return addresses
    if output_name not in addresses:
        listed = ", ".join(sorted(addresses))
        raise JobError(name, f"the job has no output `{output_name}`", f"Its outputs: {listed}.")
    return {output_name: addresses[output_name]}


def _outputs_of_run(workspace: ConnectedWorkspace, name: str) -> dict[str, str]:
    return outputs_of(workspace, workspace.history("GET", f"runs/{name}") or {})


def reused_by(properties: Mapping[str, Any]) -> str:
    """Return the name of the job whose outputs a step has, instead of its own.

    `PipelineConstants` in azure-ai-ml has the names of these properties.
    """
    marks = properties.get("properties") or {}
    is_reused = str(marks.get("azureml.isreused")).lower() == "true"
    return str(marks.get("azureml.reusedrunid") or "") if is_reused else ""

"""Register the outputs of a job that its job file names: `outputs.<output>.name`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_jobs.base.assets import DATA, MODEL_TYPES, MODELS
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.local_assets import LocalAssets
from azureml_jobs.local.output import write_message
from azureml_jobs.local.record import JobRecord


def named_outputs(job: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return `name`, `version` and `type` of the outputs that the job registers; "" for none."""
    return {
        str(output): {key: str(given.get(key) or "") for key in ("name", "version", "type")}
        for output, given in (job.get("outputs") or {}).items()
        if isinstance(given, Mapping) and given.get("name")
    }


def register_outputs(folder: JobFolder, record: JobRecord) -> None:
    """Register what a completed job left; what cannot be registered is a warning of its record."""
    for output, asset in record.named_outputs.items():
        if output not in record.outputs:
            continue
        kind = MODELS if asset["type"] in MODEL_TYPES else DATA
        assets = LocalAssets(kind, folder.root.parent)
        try:
            made = assets.register(
                asset["name"],
                record.outputs[output],
                asset["version"] or None,
                asset["type"] if kind == MODELS else None,
            )
        except JobError as error:
            record.warnings.append(
                f"the output `{output}` was not registered: {error.where}: {error.what}"
            )
        else:
            write_message(1, f"{record.name}: `{output}` registered as {made}\n")

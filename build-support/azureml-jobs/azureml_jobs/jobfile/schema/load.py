"""The JSON schemas of job files, one for each type of job."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError

_SCHEMAS = {"command": "command-job.schema.json"}
# Job types of Azure ML whose files azure-ai-ml reads and this package does not.
_OTHER_TYPES = (
    *("automl", "data_transfer", "distillation", "finetuning", "import", "parallel", "pipeline"),
    *("spark", "sweep"),
)
_DEFAULT_TYPE = "command"


def schema_of(job: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the JSON schema for the job's `type`, or raise `JobError` when there is none."""
    job_type = job.get("type", _DEFAULT_TYPE)
    if isinstance(job_type, str) and job_type in _SCHEMAS:
        return _load(_SCHEMAS[job_type])
    if job_type in _OTHER_TYPES:
        raise JobError(
            f"{path}: type",
            f"this is a job of type `{job_type}`, and only command jobs are supported",
            "Write `type: command`, with a `command:` and an `environment:`, or submit this file "
            "with `az ml job create`.",
        )
    raise JobError(
        f"{path}: type",
        f"`{job_type}` is not a job type",
        "Write `type: command`, or leave the line out.",
    )


@functools.lru_cache(maxsize=None)
def _load(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return schema

"""Check that Azure ML knows where each step of a pipeline runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_jobs.jobfile.findings import Finding, raise_findings
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.jobfile.schema.kind import kind_of


def check_computes(documents: Mapping[str, Mapping[str, Any]], job_file: str) -> None:
    """Raise `JobError` for steps without a compute, which azure-ai-ml refuses to submit.

    A job that is one command is serverless then; a step of a pipeline is not
    (`PipelineComponent._validate_compute_is_set`).
    """
    job = documents[job_file]
    if kind_of(job) != "pipeline job" or job.get("compute"):
        return
    pipeline = read_pipeline(documents, job_file)
    if pipeline.settings.default_compute:
        return
    steps = [
        "/".join(names)
        for names, step in pipeline.walk()
        if step.kind != "pipeline" and not step.node.get("compute")
        if step.kind != "spark" or not step.node.get("resources")
    ]
    remedy = "Write for example:\n\nsettings:\n  default_compute: azureml:cpu-cluster"
    what = f"no compute is named for {', '.join(f'`{step}`' for step in steps)}"
    raise_findings(job_file, [Finding("settings.default_compute", what, remedy)] if steps else [])

"""Plan a pipeline of the local workspace, before a byte of it is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import COMPONENTS
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.jobfile.pipeline.model import Pipeline
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.local.pipeline.inputs import Sources, resolve_data
from azureml_jobs.local.pipeline.steps import unknown_component
from azureml_jobs.local.registry import LocalRegistry
from azureml_jobs.local.run_plan import RunPlan


def pipeline_of(plan: RunPlan) -> Pipeline:
    """Return the pipeline that the job is. Raises `JobError` for what `read_pipeline` refuses."""
    registry = LocalRegistry(Path(plan.repository, LOCAL_FOLDER))
    return read_pipeline(plan.documents, plan.job_file, registry.find_component)


def with_data(plan: RunPlan) -> tuple[RunPlan, dict[str, dict[str, Any]]]:
    """Return the plan of a pipeline with all data of this machine that its steps need.

    And its own inputs, as records keep them. Raises `JobError` for data and components that the
    local workspace does not have, and for sweeps with invalid values.
    """
    pipeline = pipeline_of(plan)
    registry = LocalRegistry(Path(plan.repository, LOCAL_FOLDER))
    for _, step in pipeline.walk():
        if step.component and registry.find(COMPONENTS, step.component) is None:
            raise unknown_component(step)
        if step.kind == "sweep":
            read_sweep(step.node, step.where)
    plan = replace(plan, data=resolve_data(pipeline, Path(plan.repository)))
    given = Sources(plan.data, {}, {}).bound(pipeline.given, pipeline.inputs, plan.job_file)
    return plan, {name: each.resolved.as_data() for name, each in given.items()}

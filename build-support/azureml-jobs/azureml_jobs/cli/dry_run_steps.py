"""Describe the steps of a pipeline for a dry run: what each runs, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from azureml_jobs.base.console import table
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.jobfile.pipeline.model import Binding, Data, Literal, ParentInput
from azureml_jobs.jobfile.pipeline.read import read_pipeline


def steps_of(plan: JobPlan) -> list[dict[str, Any]]:
    """Return the steps of a pipeline in their order, as plain data; nothing for other jobs."""
    if plan.kind != "pipeline job":
        return []
    pipeline = read_pipeline(plan.bundle.documents, plan.request.job_file)
    return [
        {
            "step": "/".join(names),
            "kind": step.kind,
            "unit": step.code_unit,
            "component": step.component,
            "after": list(step.after),
            "inputs": {name: _text(binding) for name, binding in step.inputs.items()},
            "outputs": {name: output.type for name, output in step.outputs.items()},
        }
        for names, step in pipeline.walk()
    ]


def step_lines(steps: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each step, with its inputs and where they come from."""
    rows = [
        (
            step["step"] if step["kind"] == "command" else f"{step['step']} ({step['kind']})",
            ", ".join(f"{name} = {value}" for name, value in step["inputs"].items()),
        )
        for step in steps
    ]
    return table(("step", "inputs"), rows)[1:]


def _text(binding: Binding) -> str:
    if isinstance(binding, Literal):
        return binding.text
    if isinstance(binding, Data):
        return str(binding.value.get("path", ""))
    place = f"inputs.{binding.name}"
    if not isinstance(binding, ParentInput):
        place = f"{binding.step}.outputs.{binding.name}"
    return f"{place}/{binding.inner}" if binding.inner else place

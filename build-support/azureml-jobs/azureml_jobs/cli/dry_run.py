"""Describe what a job would send, as text or as JSON, without using the network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import bold, size_text, table
from azureml_jobs.base.workspace_config import CONFIG_FILE, LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.contents import UnitBundle
from azureml_jobs.bundle.data import LocalData
from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.guard import is_outside
from azureml_jobs.bundle.manifest import units_data
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.docker.pushable_image import PushableImage
from azureml_jobs.jobfile.document import dump_job_file
from azureml_jobs.jobfile.pipeline.model import Binding, Data, Literal, ParentInput
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.jobfile.schema.kind import azure_only_parts

_DOES = {"component": "be registered", "schedule": "be created"}


def as_data(
    plan: JobPlan,
    target: AzureWorkspace | None,
    repository: Path,
    images: Mapping[str, PushableImage] = {},
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the whole report as plain data; sizes are in bytes.

    Units are described as in the manifest; that of a command job is at the top, and any other job
    has `steps`. `notes` are inputs that this machine does not have.
    """
    request, bundle = plan.request, plan.bundle
    return {
        "address": request.address,
        "job_file": request.job_file,
        "kind": plan.kind,
        "documents": list(bundle.document_names),
        "destination": _destination(target),
        "experiment_name": plan.experiment_name,
        **({} if plan.is_command else {"steps": steps_of(plan)}),
        **units_data(bundle, images, plan.is_command),
        "data": [
            {"input": item.name, "path": item.path, "size": _size_on_disk(repository / item.path)}
            for item in bundle.data
        ],
        "job": dict(plan.job),
        "allowed": [asdict(each) for each in plan.allowed],
        "warnings": list(plan.warnings),
        "notes": list(notes),
    }


def as_text(
    plan: JobPlan,
    target: AzureWorkspace | None,
    repository: Path,
    images: Mapping[str, PushableImage] = {},
    notes: Sequence[str] = (),
) -> str:
    """Return the report for people."""
    request, bundle = plan.request, plan.bundle
    parts = [[_title(plan, target)]]
    if plan.is_command:
        parts += [_snapshot_lines(bundle.unit), _environment_lines(plan, bundle.unit, images)]
    else:
        names = [f"{name}: {path}" for path, name in bundle.document_names.items()]
        parts += [_part("Documents", names), _part("Steps", step_lines(steps_of(plan)))]
        parts += [_unit_lines(plan, unit, images) for unit in bundle.units]
    root = os.path.realpath(repository)
    for place, is_elsewhere in (("this repository", False), ("elsewhere on this machine", True)):
        found = [
            f"{each.name}: {each.path} {_size_text(repository, each)}"
            for each in bundle.data
            if is_outside(os.path.join(root, each.path), root) is is_elsewhere
        ]
        parts.append(_part("Data", found, f" from {place}"))
    allowed = [f"{each.where}: {each.what}" for each in plan.allowed]
    parts.append(_part("Allowed", allowed, " though it looks like a secret, or is outside"))
    parts.append(_part("Not on this machine", notes))
    parts.append(_part("Job", dump_job_file(plan.job).splitlines(), f" {request.job_file}"))
    return "\n\n".join("\n".join(part) for part in parts if part)


def _part(title: str, lines: Sequence[str], more: str = "") -> list[str]:
    """Return a part of the report, which is nothing without lines."""
    return [f"{bold(title)}{more}", *(f"  {line}".rstrip() for line in lines)] if lines else []


def _title(plan: JobPlan, target: AzureWorkspace | None) -> str:
    address, kind = bold(plan.request.address), plan.kind
    place = (
        f"the local workspace {LOCAL_FOLDER} ({CONFIG_FILE} names no workspace)"
        if target is None
        else f"the Azure ML workspace {target.name} in {target.resource_group}"
    )
    if plan.is_command:
        return f"{address} would run in {place}."
    what = f"{address} is {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    parts = azure_only_parts(plan.bundle.documents, plan.request.job_file)
    if target is None and parts:
        return f"{what}. Only Azure ML runs it: {', '.join(where for where, _ in parts)}."
    does = _DOES.get(kind.rpartition(" ")[2], "run")
    return f"{what}. It would {does} in {place}."


def _unit_lines(plan: JobPlan, unit: UnitBundle, images: Mapping[str, PushableImage]) -> list[str]:
    key = ".".join(unit.unit.keys)
    place = f"{key} of {unit.unit.document}" if key else unit.unit.document
    title = f"{bold(unit.unit.name)}: {place}" if unit.unit.name else bold(place)
    code = _snapshot_lines(unit) if unit.unit.has_code else []
    return [title, *(f"  {line}" for line in (*code, *_environment_lines(plan, unit, images)))]


def _snapshot_lines(unit: UnitBundle) -> list[str]:
    if unit.unit.code.path is None:
        return [f"{bold('Snapshot')} as the job file says"]
    total = size_text(sum(file.size for file in unit.code))
    return [
        f"{bold('Snapshot')} {unit.snapshot_digest[:12]}: {_count(unit.code)}, {total}",
        *_file_lines(unit.code),
    ]


def _environment_lines(
    plan: JobPlan, unit: UnitBundle, images: Mapping[str, PushableImage]
) -> list[str]:
    if image := images.get(unit.unit.name):
        return [
            f"{bold('Image')} {image.reference}: {size_text(image.size)} on this machine",
            f"  would be pushed to the workspace's registry as {image.name}, except for layers "
            "that it has;",
            "  the job would name it by its digest. The environment's files stay here.",
        ]
    if not unit.environment:
        named = plan.bundle.node_of(unit).get("environment")
        text = named if isinstance(named, str) else "as the job file says"
        return [f"{bold('Environment')} {text}"]
    packages = unit.files.packages
    listed = f", packages of {packages.lock}: {', '.join(packages.requirements) or 'none'}"
    return [
        f"{bold('Environment')} {(unit.environment_digest or '')[:12]}: "
        f"{_count(unit.environment)}{listed if unit.installs_lock else ''}",
        *_file_lines(unit.environment),
    ]


def _count(files: Sequence[BundleFile]) -> str:
    return f"{len(files)} file{'' if len(files) == 1 else 's'}"


def _file_lines(files: Sequence[BundleFile]) -> list[str]:
    rows = [(size_text(file.size), file.path, file.source, file.why) for file in files]
    return [f"  {line}" for line in table(("size", "file", "from", "why"), rows, right=(0,))]


def _destination(target: AzureWorkspace | None) -> dict[str, str]:
    if target is None:
        return {"kind": "local", "folder": LOCAL_FOLDER}
    return {
        "kind": "azure",
        "subscription_id": target.subscription_id,
        "resource_group": target.resource_group,
        "workspace": target.name,
    }


def _size_text(repository: Path, item: LocalData) -> str:
    size = _size_on_disk(repository / item.path)
    return f"({size_text(size)})" if size is not None else "(not on this machine)"


def _size_on_disk(path: Path) -> int | None:
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size if path.exists() else None


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

"""Describe what a job would send, as text or as JSON, without using the network."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import BOLD, coloured, size_text, table
from azureml_jobs.base.workspace_config import CONFIG_FILE, LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.docker.pushable_image import PushableImage
from azureml_jobs.jobfile.document import dump_job_file


def as_data(
    plan: JobPlan,
    target: AzureWorkspace | None,
    repository: Path,
    image: PushableImage | None = None,
) -> dict[str, Any]:
    """Return the whole report as plain data; sizes are in bytes."""
    request, unit = plan.request, plan.bundle.unit
    return {
        "address": request.address,
        "job_file": request.job_file,
        "destination": _destination(target),
        "experiment_name": plan.experiment_name,
        "snapshot": {
            "sha256": unit.snapshot_digest,
            "size": sum(file.size for file in unit.code),
            "files": [_file_data(file) for file in unit.code],
        },
        "environment": {
            "sha256": unit.environment_digest,
            "files": [_file_data(file) for file in unit.environment],
        },
        "image": asdict(image) if image else None,
        "packages": {
            "resolve": unit.files.packages.resolve,
            "lock": unit.files.packages.lock,
            "lock_sha256": unit.files.packages.lock_digest,
            "requirements": list(unit.files.packages.requirements),
        },
        "data": [
            {"input": item.name, "path": item.path, "size": _size_on_disk(repository / item.path)}
            for item in plan.bundle.data
        ],
        "job": dict(plan.job),
        "warnings": list(plan.warnings),
    }


def as_text(
    plan: JobPlan,
    target: AzureWorkspace | None,
    repository: Path,
    image: PushableImage | None = None,
) -> str:
    """Return the report for people."""
    request, unit = plan.request, plan.bundle.unit
    total = size_text(sum(file.size for file in unit.code))
    lines = [
        f"{_bold(request.address)} would run in {_destination_text(target)}.",
        "",
        f"{_bold('Snapshot')} {unit.snapshot_digest[:12]}: " f"{len(unit.code)} files, {total}",
        *_file_lines(unit.code),
        "",
        *(_image_lines(image) if image else _environment_lines(plan)),
    ]
    if plan.bundle.data:
        lines += ["", f"{_bold('Data')} from this repository"]
        lines += [
            f"  {item.name}: {item.path} ({size_text(_size_on_disk(repository / item.path))})"
            for item in plan.bundle.data
        ]
    lines += ["", f"{_bold('Job')} {request.job_file}"]
    lines += [f"  {line}".rstrip() for line in dump_job_file(plan.job).splitlines()]
    return "\n".join(lines)


def _image_lines(image: PushableImage) -> list[str]:
    return [
        f"{_bold('Image')} {image.reference}: {size_text(image.size)} on this machine",
        f"  would be pushed to the workspace's registry as {image.name}, except for layers that "
        "it has;",
        "  the job would name it by its digest. The environment's files stay here.",
    ]


def _environment_lines(plan: JobPlan) -> list[str]:
    unit, packages = plan.bundle.unit, plan.bundle.unit.files.packages
    named = plan.job.get("environment")
    if not unit.environment:
        text = named if isinstance(named, str) else "as the job file says"
        return [f"{_bold('Environment')} {text}"]
    return [
        f"{_bold('Environment')} {(unit.environment_digest or '')[:12]}: "
        f"{len(unit.environment)} files, packages of {packages.lock}: "
        f"{', '.join(packages.requirements) or 'none'}",
        *_file_lines(unit.environment),
    ]


def _file_lines(files: tuple[BundleFile, ...]) -> list[str]:
    rows = [(size_text(file.size), file.path, file.source, file.why) for file in files]
    return [f"  {line}" for line in table(("size", "file", "from", "why"), rows, right=(0,))]


def _bold(text: str) -> str:
    return coloured(text, BOLD)


def _file_data(file: BundleFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "source": file.source,
        "owner": file.owner,
        "why": file.why,
        "size": file.size,
        "sha256": file.sha256,
        "executable": file.executable,
    }


def _destination(target: AzureWorkspace | None) -> dict[str, str]:
    if target is None:
        return {"kind": "local", "folder": LOCAL_FOLDER}
    return {
        "kind": "azure",
        "subscription_id": target.subscription_id,
        "resource_group": target.resource_group,
        "workspace": target.name,
    }


def _destination_text(target: AzureWorkspace | None) -> str:
    if target is None:
        return f"the local workspace {LOCAL_FOLDER} ({CONFIG_FILE} names no workspace)"
    return f"the Azure ML workspace {target.name} in {target.resource_group}"


def _size_on_disk(path: Path) -> int:
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size

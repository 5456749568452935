"""Register a component in the local workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from azureml_jobs.base.assets import COMPONENTS
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.manifest_file import manifest_text
from azureml_jobs.bundle.names import MANIFEST_FILE
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance
from azureml_jobs.bundle.write import rewritten_documents, write_bundle
from azureml_jobs.jobfile.document import dump_job_file
from azureml_jobs.local.registry import LocalRegistry, RegisteredVersion
from azureml_jobs.local.run_plan import UnitRun


def register_component(
    plan: JobPlan, provenance: Provenance, runs: Mapping[str, UnitRun], repository: Path
) -> RegisteredVersion:
    """Register the component as its `version`, else as the next one if anything has changed.

    `runs` say how its code units run on this machine; there are none for what only Azure ML runs.
    Raises `JobError` for a version that exists with another content.
    """
    if not plan.job.get("name"):
        raise JobError(
            f"{plan.request.job_file}: name",
            "components are registered by their names, and this one has none",
            "Write `name:` with letters, digits, `-` and `_`.",
        )
    registry = LocalRegistry(repository / LOCAL_FOLDER)
    name, version = str(plan.job["name"]), plan.job.get("version")
    there = registry.find(COMPONENTS, f"{name}{f':{version}' if version else '@latest'}")
    if there and _is_same(there, plan, provenance):
        return there

    def write(folder: Path) -> None:
        write_bundle(plan, provenance, folder, repository, with_data=True)

    meta = {"units": {unit: asdict(run) for unit, run in runs.items()}}
    return registry.register(COMPONENTS, name, str(version) if version else None, meta, write)


# How it came about, from which commit or comments in the file, makes no other component of it.
_ON_ITS_WAY = {"allowed", "documents", "git", "made", "overrides"}


def _is_same(there: RegisteredVersion, plan: JobPlan, provenance: Provenance) -> bool:
    bundle = plan.bundle
    written = rewritten_documents(bundle, {item.name: "" for item in bundle.data})
    files = {there.path / name: dump_job_file(text) for name, text in written.items()}
    if not all(file.is_file() and file.read_text("utf-8") == files[file] for file in files):
        return False
    recorded = json.loads((there.path / MANIFEST_FILE).read_text("utf-8"))
    now = json.loads(manifest_text(manifest(plan, provenance)))
    return all(now.get(key) == recorded.get(key) for key in now.keys() - _ON_ITS_WAY)

"""The manifest of a bundle: what each file is and where all of it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from azureml_jobs.base.version import TOOLS_VERSION
from azureml_jobs.bundle.contents import Bundle, UnitBundle
from azureml_jobs.bundle.data import data_elsewhere
from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.git_state import GitState
from azureml_jobs.bundle.manifest_file import MANIFEST_VERSION
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance

_FILE_KEYS = ("path", "source", "owner", "why", "sha256", "size", "executable")


def manifest(plan: JobPlan, provenance: Provenance) -> dict[str, Any]:
    """Return the manifest as plain data. Only `made` differs among runs of the same content.

    A job that is one command has its snapshot, environment, image and packages at the top; any
    other has `units` with them.
    """
    request, bundle = plan.request, plan.bundle
    is_one = [unit.unit.name for unit in bundle.units] == [""]
    allowed = {*plan.allowed, *(provenance.git.allowed if provenance.git else ())}
    return {
        "manifest_version": MANIFEST_VERSION,
        "address": request.address,
        "job_file": request.job_file,
        "kind": plan.kind,
        "documents": [
            {"path": path, "sha256": bundle.digests[path], "content": document}
            for path, document in bundle.documents.items()
        ],
        "overrides": list(plan.overrides),
        **units_data(bundle, provenance.images, is_one),
        "data": _data(plan, provenance),
        "allowed": [asdict(each) for each in sorted(allowed)],
        "git": _git(provenance.git),
        "versions": {"tools": TOOLS_VERSION, **request.versions},
        "made": asdict(provenance.made) if provenance.made else None,
    }


def _git(git: GitState | None) -> dict[str, Any] | None:
    if git is None:
        return None
    diff = {"sha256": hashlib.sha256(git.diff).hexdigest(), "bytes": len(git.diff)}
    return {
        "commit": git.commit,
        "is_dirty": None if git.problem else bool(git.diff),
        "diff": None if git.problem else diff,
        "tools_changed": git.tools_changed,
        "problem": git.problem or None,
    }


def _data(plan: JobPlan, provenance: Provenance) -> list[dict[str, Any]]:
    unknown = dict.fromkeys(("sha256", "files", "bytes"))
    local = [
        {"input": item.name, "path": item.path, **(asdict(found) if found else unknown)}
        for item in plan.bundle.data
        for found in [provenance.data.get(item.name)]
    ]
    return local + data_elsewhere(plan.bundle.documents, plan.request.job_file)


def units_data(bundle: Bundle, images: Mapping[str, Any], is_one: bool) -> dict[str, Any]:
    """Return the only unit, or `units` with all; `images` are dataclasses by names of units."""
    if is_one:
        return _unit(bundle.unit, bundle, images)
    units = [
        {
            "name": unit.unit.name,
            "document": unit.unit.document,
            "key": ".".join(unit.unit.keys),
            **_unit(unit, bundle, images),
        }
        for unit in bundle.units
    ]
    return {"units": units}


def _unit(unit: UnitBundle, bundle: Bundle, images: Mapping[str, Any]) -> dict[str, Any]:
    packages, image = unit.files.packages, images.get(unit.unit.name)
    return {
        "command": bundle.node_of(unit).get("command"),
        "snapshot": {"sha256": unit.snapshot_digest, "files": _entries(unit.code)},
        "environment": _environment(unit, bundle.environment_of(unit)),
        "image": asdict(image) if image else None,
        "packages": {
            "resolve": packages.resolve,
            "lock": packages.lock,
            "lock_sha256": packages.lock_digest,
            "requirements": list(packages.requirements),
            "versions": dict(unit.versions),
            "sha256": unit.packages_digest,
        },
    }


def _environment(unit: UnitBundle, named: Any) -> dict[str, Any] | None:
    """Return the environment: what the job file refers to, and what is built from files."""
    named = named.get("image") if isinstance(named, Mapping) else named
    if named is None and not unit.environment:
        return None
    files = _entries(unit.environment)
    return {"reference": named, "sha256": unit.environment_digest, "files": files}


def _entries(files: Sequence[BundleFile]) -> list[dict[str, Any]]:
    return [{key: getattr(file, key) for key in _FILE_KEYS} for file in files]

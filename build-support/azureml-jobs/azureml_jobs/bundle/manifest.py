"""The manifest of a bundle: what each file is and where all of it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.contents import Bundle
from azureml_jobs.bundle.provenance import GitState

MANIFEST_VERSION = 1

_FILE_KEYS = ("path", "source", "owner", "sha256", "size", "executable")


def manifest(bundle: Bundle, git: GitState | None) -> dict[str, Any]:
    """Return the manifest as plain data; `git` is the state of the code that is in the bundle."""
    request, unit = bundle.request, bundle.unit
    packages = unit.files.packages
    environment = {"sha256": unit.environment_digest, "files": _entries(unit.environment)}
    return {
        "manifest_version": MANIFEST_VERSION,
        "address": request.address,
        "job_file": request.job_file,
        "snapshot": {"sha256": unit.snapshot_digest, "files": _entries(unit.code)},
        "environment": environment if unit.environment else None,
        "packages": {
            "resolve": packages.resolve,
            "lock": packages.lock,
            "lock_sha256": packages.lock_digest,
            "requirements": list(packages.requirements),
        },
        "data": [{"input": item.name, "path": item.path} for item in bundle.data],
        "git": asdict(git) if git else None,
        "versions": dict(request.versions),
    }


def _entries(files: Sequence[BundleFile]) -> list[dict[str, Any]]:
    return [{key: getattr(file, key) for key in _FILE_KEYS} for file in files]

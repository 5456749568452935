"""The manifest of a bundle: what each file is and where all of it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from azureml_jobs.base.version import TOOLS_VERSION
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.contents import Bundle, UnitBundle
from azureml_jobs.bundle.provenance import GitState

MANIFEST_VERSION = 1

_FILE_KEYS = ("path", "source", "owner", "sha256", "size", "executable")


def manifest(bundle: Bundle, git: GitState | None) -> dict[str, Any]:
    """Return the manifest as plain data; `git` is the state of the code that is in the bundle.

    A job that is one command has its snapshot, environment and packages at the top; any other has
    `units` with them.
    """
    request = bundle.request
    is_one = [unit.unit.name for unit in bundle.units] == [""]
    return {
        "manifest_version": MANIFEST_VERSION,
        "address": request.address,
        "job_file": request.job_file,
        **(_unit(bundle.unit) if is_one else {"units": _units(bundle)}),
        "data": [{"input": item.name, "path": item.path} for item in bundle.data],
        "git": asdict(git) if git else None,
        "versions": {"tools": TOOLS_VERSION, **request.versions},
    }


def _units(bundle: Bundle) -> list[dict[str, Any]]:
    return [
        {
            "name": unit.unit.name,
            "document": unit.unit.document,
            "key": ".".join(unit.unit.keys),
            **_unit(unit),
        }
        for unit in bundle.units
    ]


def _unit(unit: UnitBundle) -> dict[str, Any]:
    packages = unit.files.packages
    environment = {"sha256": unit.environment_digest, "files": _entries(unit.environment)}
    return {
        "snapshot": {"sha256": unit.snapshot_digest, "files": _entries(unit.code)},
        "environment": environment if unit.environment else None,
        "packages": {
            "resolve": packages.resolve,
            "lock": packages.lock,
            "lock_sha256": packages.lock_digest,
            "requirements": list(packages.requirements),
        },
    }


def _entries(files: Sequence[BundleFile]) -> list[dict[str, Any]]:
    return [{key: getattr(file, key) for key in _FILE_KEYS} for file in files]

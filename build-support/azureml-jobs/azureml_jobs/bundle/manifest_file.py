"""The file of a manifest, for those who run or send a job and load nothing that plans one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.names import MANIFEST_FILE

MANIFEST_VERSION = 2

_KEYS = {
    *("address", "job_file", "kind", "documents", "overrides", "data", "allowed", "git"),
    *("versions", "made"),
}
_UNIT_KEYS = ("command", "snapshot", "environment", "image", "packages")


def manifest_text(content: Mapping[str, Any]) -> str:
    # YAML has dates, which commands get as text.
    return json.dumps(content, indent=2, ensure_ascii=True, default=str) + "\n"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest in a folder. Raises `JobError` for none, or one of another shape."""
    path = folder / MANIFEST_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise _invalid(path, "there is no such file") from None
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f"this is not JSON: {error}") from error
    version = content.get("manifest_version") if isinstance(content, dict) else None
    if version != MANIFEST_VERSION:
        made_by = "an older scaffolding" if version == 1 else "another scaffolding"
        raise JobError(
            f"{path}: manifest_version",
            f"{version} is of {made_by}, and this one reads {MANIFEST_VERSION}",
            "Use the tools of the commit that made it, or start the job again.",
        )
    missing = sorted(_KEYS - content.keys())
    missing += [key for unit in units_of(content) for key in _UNIT_KEYS if key not in unit]
    if missing:
        raise _invalid(path, f"`{missing[0]}` is missing")
    return dict(content)


def units_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the units of a manifest; that of a job of one command has an empty name."""
    if "units" in content:
        return list(content["units"])
    return [{"name": "", **{key: content[key] for key in _UNIT_KEYS if key in content}}]


def _invalid(path: Path, what: str) -> JobError:
    return JobError(str(path), what, "Name a folder that `./pants package` or a job has made.")

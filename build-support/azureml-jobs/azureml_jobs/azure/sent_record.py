"""The record of what a job runs, as it goes with the job: a small code asset of its own.

In the snapshot it would change that with every commit, and Azure ML would reuse no code and no
results.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from azureml_jobs.azure.what_ran import MANIFEST_PROPERTY
from azureml_jobs.base.digest import entries_digest, file_digest
from azureml_jobs.bundle.manifest import manifest_text
from azureml_jobs.bundle.names import DIFF_FILE, MANIFEST_FILE

_SDK = ("azure-ai-ml", "azure-identity")


@dataclass(frozen=True)
class SentRecord:
    """The two files in `folder`, with the sha256 of both."""

    folder: Path
    digest: str
    manifest: Mapping[str, Any]

    def marks(self, asset: str) -> dict[str, str]:
        """Return properties of the job that lead to what ran; `asset` is the record's id."""
        git = self.manifest["git"] or {}
        marks = {MANIFEST_PROPERTY: asset, "azureml_jobs.commit": git.get("commit")}
        if git.get("is_dirty") is not None:
            marks["azureml_jobs.dirty"] = str(git["is_dirty"]).lower()
        return {key: value for key, value in marks.items() if value}


def write_record(bundle: Path, folder: Path) -> SentRecord:
    """Write the record of a bundle into `folder`, with the versions of what sends it."""
    folder.mkdir(exist_ok=True)
    manifest = json.loads((bundle / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["made"]["sdk"] = {name: version(name) for name in _SDK}
    (folder / MANIFEST_FILE).write_text(manifest_text(manifest), encoding="utf-8")
    shutil.copyfile(bundle / DIFF_FILE, folder / DIFF_FILE)
    names = (MANIFEST_FILE, DIFF_FILE)
    digest = entries_digest((name, file_digest(folder / name), False) for name in names)
    return SentRecord(folder, digest, manifest)

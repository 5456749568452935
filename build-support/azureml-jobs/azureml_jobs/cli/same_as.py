"""Run a job only if it is what an earlier one was."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import print_warning
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.manifest_file import read_manifest, units_of
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance, UsedImage
from azureml_jobs.bundle.same import differences, doubts
from azureml_jobs.docker.engine import Image, image_id
from azureml_jobs.docker.pushable_image import PushableImage

_MOST_LINES = 20


def check_same(
    plan: JobPlan, provenance: Provenance, record: Path, pushed: Mapping[str, PushableImage] | None
) -> None:
    """Raise `JobError` unless the job is what the manifest in `record` says, byte for byte.

    What may give another result in spite of that is printed as warnings. `pushed` are the images
    that go to Azure with the job, None for a job on this machine.
    """
    then = read_manifest(record)
    images = _images_here(then) if pushed is None else pushed
    used = {name: UsedImage(image.reference, image.id) for name, image in images.items()}
    now = manifest(plan, replace(provenance, images=used))
    found = differences(then, now)
    if found:
        more = f"\n  and {len(found) - _MOST_LINES} more" if len(found) > _MOST_LINES else ""
        listed = "\n  ".join(found[:_MOST_LINES])
        raise JobError(
            plan.request.address,
            f"it is not what {record} has:\n  {listed}{more}",
            "Leave `--same-as` out to run it as it is.",
        )
    for doubt in doubts(then, now, runs_here=pushed is None):
        print_warning(f"its result may differ: {doubt}")
    snapshot = plan.bundle.snapshot_digest[:12]
    print(f"The same as in {record}, byte for byte: snapshot {snapshot}", file=sys.stderr)


def _images_here(then: Mapping[str, Any]) -> dict[str, Image]:
    """Return what the images of a record are on this machine, by the names of units."""
    found = {}
    for unit in units_of(then):
        if unit["image"]:
            reference = unit["image"]["reference"]
            # Without an engine it runs in another environment, as for an image that is not here.
            with contextlib.suppress(OutsideError):
                if here := image_id(reference):
                    found[unit["name"]] = Image(reference, here)
    return found

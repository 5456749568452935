"""Run a job only if it is what an earlier one was."""

from __future__ import annotations

import sys
from pathlib import Path

from azureml_jobs.base.console import print_warning
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.manifest import manifest, read_manifest
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance
from azureml_jobs.bundle.same import differences, doubts

_MOST_LINES = 20


def check_same(plan: JobPlan, provenance: Provenance, record: Path, runs_here: bool) -> None:
    """Raise `JobError` unless the job is what the manifest in `record` says, byte for byte.

    What may give another result in spite of that is printed as warnings.
    """
    then, now = read_manifest(record), manifest(plan, provenance)
    found = differences(then, now)
    if found:
        more = f"\n  and {len(found) - _MOST_LINES} more" if len(found) > _MOST_LINES else ""
        listed = "\n  ".join(found[:_MOST_LINES])
        raise JobError(
            plan.request.address,
            f"it is not what {record} has:\n  {listed}{more}",
            "Leave `--same-as` out to run it as it is.",
        )
    for doubt in doubts(then, now, runs_here):
        print_warning(f"its result may differ: {doubt}")
    snapshot = plan.bundle.snapshot_digest[:12]
    print(f"The same as in {record}, byte for byte: snapshot {snapshot}", file=sys.stderr)

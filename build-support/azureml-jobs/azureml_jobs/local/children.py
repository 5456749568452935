"""Find the jobs that a local job started."""

from __future__ import annotations

import contextlib

from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current_record
from azureml_jobs.local.workspace import LONGEST_NAME


def descendants(folder: JobFolder) -> dict[str, JobRecord]:
    """Return the jobs below a job, oldest first, by their labels: `train`, `tune/3`."""
    found = []
    # The name of a child begins with that of its parent, but for the end of a long one.
    start = f"{folder.name}_"[: LONGEST_NAME - 9]
    for path in folder.path.parent.glob(f"{start}*"):
        with contextlib.suppress(OSError, ValueError):
            found.append(current_record(JobFolder(path)))
    prefixes = {folder.name: ""}
    labelled = {}
    for record in sorted(found, key=lambda record: (record.created, record.name)):
        if record.parent in prefixes:
            label = prefixes[record.parent] + record.step
            prefixes[record.name] = f"{label}/"
            labelled[label] = record
    return labelled

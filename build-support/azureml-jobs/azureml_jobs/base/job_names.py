"""Names of jobs that are valid in Azure ML."""

from __future__ import annotations

import re


def job_name_stem(text: str) -> str:
    """Return `text` with each part that is not valid in a job's name replaced by `-`."""
    stem = re.sub(r"[^a-zA-Z0-9_-]+", "-", text).strip("-_")
    return stem or "job"

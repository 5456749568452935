"""Names of jobs that Azure ML takes."""

from __future__ import annotations

import re


def job_name_stem(text: str) -> str:
    """`text` with what Azure ML does not take in a job's name replaced by `-`."""
    stem = re.sub(r"[^a-zA-Z0-9_-]+", "-", text).strip("-_")
    return stem or "job"

"""The statuses of a job, by Azure ML's names, and its timestamps."""

from __future__ import annotations

from datetime import datetime, timezone

# Azure ML's names: https://learn.microsoft.com/azure/machine-learning/ (run statuses), the same
# that azure-ai-ml keeps in `_run_history_constants.py`.
NOT_STARTED = "NotStarted"
PREPARING = "Preparing"
RUNNING = "Running"
CANCEL_REQUESTED = "CancelRequested"
COMPLETED = "Completed"
FAILED = "Failed"
CANCELED = "Canceled"
ENDED = frozenset({COMPLETED, FAILED, CANCELED})


def now() -> str:
    """Return the time in UTC, as ISO 8601 with microseconds, so that text order is time order."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def seconds_since(timestamp: str) -> float:
    """Return the seconds that have passed since a timestamp of `now`."""
    return (datetime.now(timezone.utc) - datetime.fromisoformat(timestamp)).total_seconds()

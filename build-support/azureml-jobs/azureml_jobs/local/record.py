"""What is known of one local job: its record, and the file `job.json` that keeps it."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional

FORMAT = 1

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
    """The present time in UTC, as ISO 8601 with microseconds, so that text order is time order."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def seconds_since(moment: str) -> float:
    """Seconds that have passed since a moment that `now` gave."""
    return (datetime.now(timezone.utc) - datetime.fromisoformat(moment)).total_seconds()


@dataclass
class JobRecord:
    """One local job. Times are ISO 8601 in UTC, durations are seconds."""

    name: str
    display_name: str = ""
    experiment_name: str = ""
    description: str = ""
    status: str = NOT_STARTED
    address: str = ""
    command: str = ""
    runtime: str = "venv"
    # Prefix of the virtual environment whose `bin` comes first on the job's PATH.
    python: str = ""
    snapshot: str = ""
    tags: Dict[str, str] = field(default_factory=dict)
    inputs: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    outputs: Dict[str, str] = field(default_factory=dict)
    environment_variables: Dict[str, str] = field(default_factory=dict)
    timeout: Optional[float] = None
    created: str = field(default_factory=now)
    started: Optional[str] = None
    ended: Optional[str] = None
    timings: Dict[str, float] = field(default_factory=dict)
    # The status with which the command that ran the job ended: 128 + n after the signal n.
    exit_code: Optional[int] = None
    error: Optional[str] = None
    warnings: List[str] = field(default_factory=list)
    # The machine that runs the job. A folder may be shared among several.
    place: str = ""
    # The runner's process, with its start time because a system uses process ids again.
    pid: Optional[int] = None
    process_start: Optional[str] = None
    # Process group of the user's command, and the start time of the process that leads it.
    pgid: Optional[int] = None
    pgid_start: Optional[str] = None
    # Left out of lists; the studio has the same word for it.
    is_archived: bool = False
    format: int = FORMAT

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @classmethod
    def read(cls, path: Path) -> JobRecord:
        """Raises `OSError` or `ValueError` when the file is not a record of this version."""
        content = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path} is not a job record of format {FORMAT}")
        known = {each.name for each in fields(cls)}
        try:
            return cls(**{key: value for key, value in content.items() if key in known})
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from error

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that a reader sees the old or the new record."""
        write_atomically(path, json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write beside `path`, force it to the disk, and rename."""
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise

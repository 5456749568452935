"""The record of one local job, and the file `job.json` that keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from azureml_jobs.base.errors import DISK_FULL
from azureml_jobs.base.files import write_file
from azureml_jobs.base.job_status import ENDED, NOT_STARTED, now
from azureml_jobs.base.typed_json import from_data
from azureml_jobs.docker.container import Container

FORMAT = 1


@dataclass
class JobRecord:
    """One local job. Times are ISO 8601 in UTC, durations are seconds."""

    name: str
    display_name: str = ""
    experiment_name: str = ""
    description: str = ""
    status: str = NOT_STARTED
    address: str = ""
    # `command`, or what starts jobs of its own: `pipeline`, `sweep`.
    kind: str = "command"
    # Names of jobs: what started this one, and the one that the user started; the step's own name.
    parent: str = ""
    root: str = ""
    step: str = ""
    # The earlier job whose outputs this step has, what both have in common, and what shows that
    # nobody has changed the outputs since.
    reused: str = ""
    reuse_key: str = ""
    outputs_fingerprint: str = ""
    command: str = ""
    # The folder of the command's code, relative to that of the job and never changed; "" for none.
    code: str = "bundle/code"
    distribution: dict[str, Any] | None = None
    # The values that a sweep chose for its trial.
    parameters: dict[str, Any] = field(default_factory=dict)
    # What a sweep looks for, as its job file says it, and the name of its best trial.
    objective: dict[str, Any] | None = None
    best_trial: str = ""
    runtime: str = "venv"
    # Where the runtime is docker.
    container: Container | None = None
    # The folder in which its Python processes find the debugger that they wait for.
    debugger: str | None = None
    # Prefix of the virtual environment whose `bin` comes first on the job's PATH.
    python: str = ""
    # Modules of listed packages that its environment leaves out, with the packages' addresses.
    unused_modules: dict[str, str] = field(default_factory=dict)
    snapshot: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    # Those that are registered when the job completes, with `name`, `version` and `type`.
    named_outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    # Where the command finds data, by `inputs.<name>` and `outputs.<name>`.
    paths: dict[str, str] = field(default_factory=dict)
    environment_variables: dict[str, str] = field(default_factory=dict)
    timeout: float | None = None
    created: str = field(default_factory=now)
    started: str | None = None
    ended: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    # What it used of this machine, as `usage.py` measures it.
    usage: dict[str, Any] = field(default_factory=dict)
    # The exit status of the command that ran the job: 128 + n after the signal n.
    exit_code: int | None = None
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    # The machine that runs the job; several may share the folder.
    host: str = ""
    # The runner's process, with its identity because systems reuse process ids.
    pid: int | None = None
    pid_identity: str | None = None
    # The process group of the user's command, and the identity of the process that leads it.
    pgid: int | None = None
    pgid_identity: str | None = None
    # Not in lists; Azure ML studio has the same word for it.
    is_archived: bool = False
    format: int = FORMAT

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @classmethod
    def read(cls, path: Path) -> JobRecord:
        """Read a record. Raises `OSError` or `ValueError` when the file is none of this version."""
        content = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path} is not a job record of format {FORMAT}")
        known = {each.name for each in fields(cls)}
        try:
            record = from_data(cls, {key: content[key] for key in content.keys() & known})
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: {error}") from error
        return cast(JobRecord, record)

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that a reader sees the old or the new record.

        On a full disk it is overwritten, which needs no room: that is how the end is recorded.
        """
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
        try:
            write_file(path, text)
        except OSError as error:
            if error.errno not in DISK_FULL or not path.exists():
                raise
            with open(path, "r+b") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
                file.truncate()

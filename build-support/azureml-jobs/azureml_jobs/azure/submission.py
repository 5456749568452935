"""A submission on this machine: what is sent, under which name, and how far it is.

It is a folder in `.azureml/submissions`, which exists from before the first request until the
service has the job. So a submission that was killed is found again, with the name of its job.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.files import take_lock, write_file
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.docker.pushable_image import PushableImage
from azureml_jobs.jobfile.document import dump_job_file, read_job_file
from azureml_jobs.jobfile.documents import set_value
from azureml_jobs.protocol import Message

_RECORD = "submission.json"
_LOCK = "lock"


@dataclass(frozen=True)
class SubmitOptions:
    """What a submission does in addition to making the job."""

    stream: bool = False
    web: bool = False
    timings: bool = False
    login: bool = False


@dataclass(frozen=True)
class Part:
    """What is sent with a job; `keys` of a document in the bundle name it then.

    A snapshot, an environment or its image have the name of a unit, and the digest of their
    content; an input has its own name, and the path of its data.
    """

    kind: str
    name: str
    document: str
    keys: tuple[str, ...]
    content: str
    dockerfile: str = ""
    image: PushableImage | None = None

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Submission(Message):
    """A job, a component or a schedule on its way, as `file_kind` says.

    `token` marks it as made by this submission; `content` is a digest of what is sent, `snapshot`
    one of the code, `environment` one of the environments. `is_named` says that the user chose the
    name. `asset_version` is that of a component; the workspace decides about an empty one.
    """

    file_kind: str
    name: str
    token: str
    experiment_name: str
    workspace: AzureWorkspace
    asset_version: str = ""
    content: str = ""
    snapshot: str = ""
    environment: str = ""
    is_named: bool = True
    address: str = ""
    parts: tuple[Part, ...] = ()
    options: SubmitOptions = SubmitOptions()
    is_started: bool = False

    @property
    def is_job(self) -> bool:
        return self.file_kind.endswith(" job")

    @property
    def is_component(self) -> bool:
        return self.file_kind.endswith(" component")

    @property
    def path(self) -> tuple[str, ...]:
        """Where the workspace has it."""
        if self.is_component:
            return ("components", self.name, "versions", self.asset_version)
        return ("jobs" if self.is_job else "schedules", self.name)

    @property
    def shown_name(self) -> str:
        return f"azureml:{self.name}:{self.asset_version}" if self.is_component else self.name

    def write(self, folder: Path) -> None:
        write_file(folder / _RECORD, self.to_json().decode() + "\n")


@dataclass(frozen=True)
class SubmissionFolder:
    """`path` is a folder of `.azureml/submissions`."""

    path: Path

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    @property
    def local(self) -> Path:
        """The folder `.azureml`, in which it is."""
        return self.path.parent.parent

    def read(self) -> Submission | None:
        """Return the submission, or None when it has ended or cannot be read."""
        try:
            return Submission.read(self.path / _RECORD)
        except (OSError, ValueError, TypeError, KeyError, OutsideError):
            return None

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Lock the submission; yield False when another process has locked it."""
        with open(self.path / _LOCK, "w") as file:
            yield take_lock(file)

    def place(self, submission: Submission, ids: Mapping[str, str]) -> None:
        """Write the ids of assets, by their labels, into the documents of the bundle.

        Then azure-ai-ml finds no local path in them, and sends nothing.
        """
        documents: dict[str, dict[str, Any]] = {}
        for part in submission.parts:
            if part.document not in documents:
                text = (self.bundle / part.document).read_text(encoding="utf-8")
                documents[part.document] = read_job_file(text, part.document)
            set_value(documents[part.document], part.keys, ids[part.label])
        for name, document in documents.items():
            write_file(self.bundle / name, dump_job_file(document))

    def remove(self) -> None:
        # First of all: without it, there is nothing to continue.
        (self.path / _RECORD).unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

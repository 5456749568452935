"""A submission on this machine: what is sent, under which name, and how far it is.

It is a folder in `.azureml/submissions`, which exists from before the first request until the
service has the job. So a submission that was killed is found again, with the name of its job.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from azureml_jobs.azure.upload import listed_data
from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.job_names import job_name_stem
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.names import JOB_FILE
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import git_state
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.docker.pushable_image import PushableImage
from azureml_jobs.jobfile.document import dump_job_file

_FORMAT = 1
_RECORD = "submission.json"
_LOCK = "lock"
_BUNDLE = "bundle"
_NEW = ".new-"
_ABANDONED_SECONDS = 24 * 3600.0
# Room for `-<date>-<time>-<count>` in the 255 characters of a job's name.
_LONGEST_STEM = 200


@dataclass(frozen=True)
class SubmitOptions:
    """What a submission does in addition to making the job."""

    stream: bool = False
    web: bool = False
    timings: bool = False
    login: bool = False


@dataclass(frozen=True)
class Submission:
    """`token` marks the job as made by this submission; `content` is a digest of what is sent.

    `is_named` says that the user chose the name. `environment` is the digest of the build context,
    None when the job names its environment otherwise, or goes with the `image` that was built of
    it; `data` are inputs by their local paths.
    """

    name: str
    token: str
    content: str
    is_named: bool
    address: str
    workspace: AzureWorkspace
    snapshot: str | None
    environment: str | None
    dockerfile: str
    data: dict[str, str]
    options: SubmitOptions
    image: PushableImage | None = None
    is_started: bool = False
    format: int = _FORMAT

    def write(self, folder: Path) -> None:
        write_file(folder / _RECORD, json.dumps(asdict(self), indent=2) + "\n")


class SubmissionFolder:
    """`path` is a folder of `.azureml/submissions`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def bundle(self) -> Path:
        return self.path / _BUNDLE

    @property
    def job_file(self) -> Path:
        return self.bundle / JOB_FILE

    @property
    def local(self) -> Path:
        """The folder `.azureml`, in which it is."""
        return self.path.parent.parent

    def read(self) -> Submission | None:
        """Return the submission, or None when it has ended or cannot be read."""
        try:
            known: dict[str, Any] = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
            if known.get("format") != _FORMAT:
                return None
            known["workspace"] = AzureWorkspace(**known["workspace"])
            known["options"] = SubmitOptions(**known["options"])
            if known.get("image") is not None:
                known["image"] = PushableImage(**known["image"])
            return Submission(**known)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Lock the submission; yield False when another process has locked it.

        The system releases the lock of a killed process.
        """
        with open(self.path / _LOCK, "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def create_submission(
    plan: JobPlan,
    workspace: AzureWorkspace,
    repository: Path,
    options: SubmitOptions,
    image: PushableImage | None = None,
) -> SubmissionFolder:
    """Write all that is sent into a new folder, or find the one of a killed submission.

    That one has the same content, for the same workspace, and had started to send it. `image` is
    sent in place of the build context. Raises `OutsideError` when the disk fails.
    """
    root = repository / LOCAL_FOLDER / "submissions"
    # azure-ai-ml makes names lower-case silently; the job would not be found again.
    name = str(plan.job["name"]).lower() if plan.job.get("name") else None
    content = _content_digest(plan, workspace, repository, image, with_data=bool(name))
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        interrupted = None if name else _interrupted(root, content)
        if interrupted is not None:
            folder, submission = interrupted
            replace(submission, options=options).write(folder.path)
            return folder
        unit, job = plan.bundle.unit, plan.job
        build = job["environment"]["build"] if unit.environment_digest and _has_build(job) else {}
        submission = Submission(
            name=name or _new_name(plan),
            # The user's own name stands for one content: started again, it is the same submission.
            token=content if name else secrets.token_hex(16),
            content=content,
            is_named=bool(name),
            address=plan.request.address,
            workspace=workspace,
            snapshot=unit.snapshot_digest if unit.code else None,
            environment=unit.environment_digest if build and image is None else None,
            dockerfile=str(build.get("dockerfile_path") or "Dockerfile"),
            data={item.name: str(repository / item.path) for item in plan.bundle.data},
            options=options,
            image=image,
        )
        return _write(plan, submission, root, repository)
    except OSError as error:
        raise OutsideError(
            LOCAL_FOLDER,
            f"the submission could not be written: {error.strerror or error}",
            f"Check the free space and the permissions of {root}.",
        ) from error


def _content_digest(
    plan: JobPlan,
    workspace: AzureWorkspace,
    repository: Path,
    image: PushableImage | None,
    with_data: bool,
) -> str:
    """Return a digest of what is sent. Unless `with_data`, data are only read when sent."""
    unit = plan.bundle.unit
    content = [
        dump_job_file(dict(plan.job)),
        unit.snapshot_digest,
        unit.environment_digest,
        asdict(workspace),
        *([image.id] if image else []),
        [listed_data(repository / item.path)[1] for item in plan.bundle.data] if with_data else [],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _write(plan: JobPlan, submission: Submission, root: Path, repository: Path) -> SubmissionFolder:
    staging = root / f"{_NEW}{secrets.token_hex(8)}"
    git = git_state(repository, plan.bundle.sources)
    stem, count = submission.name, 1
    try:
        staging.mkdir()
        write_bundle(plan.bundle, git, staging / _BUNDLE, repository, with_data=False)
        while True:
            submission.write(staging)
            # With the user's own name, the job is found in the workspace, not here.
            ending = f".{secrets.token_hex(4)}" if submission.is_named else ""
            final = SubmissionFolder(root / f"{submission.name}{ending}")
            try:
                os.rename(staging, final.path)
                return final
            except OSError:
                # Only an empty folder can be replaced by renaming.
                if not final.path.exists():
                    raise
            count += 1
            submission = replace(submission, name=f"{stem}-{count}")
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _interrupted(root: Path, content: str) -> tuple[SubmissionFolder, Submission] | None:
    """Return a submission of this content that was started, and that no process is sending."""
    for path in sorted(root.iterdir()):
        folder = SubmissionFolder(path)
        submission = folder.read()
        if submission is None or submission.content != content:
            continue
        if submission.is_named or not submission.is_started:
            continue
        with contextlib.suppress(OSError), folder.held() as is_ours:
            if is_ours:
                return folder, submission
    return None


def _remove_abandoned(root: Path) -> None:
    """Remove what was abandoned long ago and is not needed to find a job again."""
    for path in root.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime < _ABANDONED_SECONDS:
                continue
            submission = SubmissionFolder(path).read()
            if submission is None or submission.is_named or not submission.is_started:
                shutil.rmtree(path, ignore_errors=True)


def _new_name(plan: JobPlan) -> str:
    """Return experiment, first digits of the snapshot's digest, time in UTC."""
    stem = job_name_stem(plan.experiment_name)[:_LONGEST_STEM].lower()
    now = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stem}-{plan.bundle.unit.snapshot_digest[:8]}-{now}"


def _has_build(job: Mapping[str, Any]) -> bool:
    environment = job.get("environment")
    return isinstance(environment, dict) and "build" in environment

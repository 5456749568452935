"""Send a submission: what the job brings along, then the job; and tell what was done."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from azureml_jobs.azure import sdk
from azureml_jobs.azure.connected import ConnectedWorkspace
from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.image import ImageToPush
from azureml_jobs.azure.parallel import BackgroundCall
from azureml_jobs.azure.registry import Manifest, Registry
from azureml_jobs.azure.submission import Submission, SubmissionFolder
from azureml_jobs.azure.timings import Timings
from azureml_jobs.azure.upload import Sent, send_data, send_environment, send_snapshot
from azureml_jobs.base.console import BOLD, coloured, print_warning, size_text
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.write import CODE_FOLDER, ENVIRONMENT_FOLDER

# Marks a job as made by one submission, so that it is found again and no other is taken for it.
TOKEN_PROPERTY = "azureml_jobs.submission"
_ADDRESS_PROPERTY = "azureml_jobs.address"
_SNAPSHOT_PROPERTY = "azureml_jobs.snapshot"


@dataclass(frozen=True)
class SubmittedJob:
    """`sent` are what the job brings along, by what it is called; `was_there`: the job itself."""

    name: str
    link: str
    sent: dict[str, Sent]
    was_there: bool = False


def submit(path: Path) -> int:
    """Send the submission in a folder to its end; 0 when the service has the job.

    With `--stream` the status is the job's own. Whatever fails leaves the submission for a later
    run, which goes on with it.
    """
    folder = SubmissionFolder(path)
    submission = folder.read()
    if submission is None:
        raise JobError(path.name, "there is no such submission", "Start the job again.")
    with folder.held() as is_ours:
        if not is_ours:
            raise JobError(submission.name, "another process is sending it already")
        submission = replace(submission, is_started=True)
        submission.write(path)
        timings = Timings()
        connected = ConnectedWorkspace(submission.workspace, submission.options.login)
        job = _Sending(folder, submission, connected, timings).to_its_end()
        folder.remove()
    for warning in connected.sign_in.warnings:
        print_warning(warning)
    print(_told(job, submission, connected))
    if submission.options.timings:
        print("\n".join(["", *timings.lines()]))
    sys.stdout.flush()
    if submission.options.web:
        import webbrowser

        webbrowser.open(job.link)
    if submission.options.stream:
        from azureml_jobs.azure.stream import stream

        return stream(connected.workspace, job.name, sys.stdout.buffer)
    return 0


class _Sending:
    def __init__(
        self,
        folder: SubmissionFolder,
        submission: Submission,
        connected: ConnectedWorkspace,
        timings: Timings,
    ) -> None:
        self._folder = folder
        self._submission = submission
        self._session = connected
        self._workspace = connected.workspace
        self._datastores = Datastores(connected.workspace)
        self._timings = timings
        self._image: ImageToPush | None = None
        if submission.image is not None:
            registry = Registry(connected.workspace, connected.sign_in)
            self._image = ImageToPush(connected.workspace, registry, submission.image)

    def to_its_end(self) -> SubmittedJob:
        submission, workspace = self._submission, self._workspace
        found = BackgroundCall(self._find)
        sent = BackgroundCall(self._send)
        image = BackgroundCall(self._find_image)
        with self._timings.part("import of azure-ai-ml"):
            sdk.import_sdk()
            sdk.without_git_secrets(Path.cwd())
        name, was_there = found.result()
        if was_there:
            return SubmittedJob(name, workspace.studio_link(name), {}, was_there=True)
        assets = sent.result()
        if self._image is not None:
            there = image.result()
            with self._timings.part("image"):
                assets["image"] = self._image.send(there)
        snapshot, environment = assets.get("snapshot"), assets.get("environment")
        environment = environment or assets.get("image")
        with self._timings.part("reading the job"):
            job = sdk.load(
                self._folder.job_file,
                name,
                snapshot.id if snapshot else None,
                environment.id if environment else None,
                {key: assets[f"input {key}"].id for key in submission.data},
                {
                    TOKEN_PROPERTY: submission.token,
                    _ADDRESS_PROPERTY: submission.address,
                    **({_SNAPSHOT_PROPERTY: submission.snapshot} if submission.snapshot else {}),
                },
            )
        with self._timings.part("making the job"):
            made = sdk.create(job, workspace.place, workspace.cloud, self._session.sign_in)
        if made.properties.get(TOKEN_PROPERTY) != submission.token:
            raise _taken(name, workspace.place.name)
        return SubmittedJob(name, made.link or workspace.studio_link(name), assets)

    def _find(self) -> tuple[str, bool]:
        """The job's name, and whether the service has the job from an earlier attempt."""
        submission, workspace = self._submission, self._workspace
        with self._timings.part("signing in"):
            self._session.sign_in.token(workspace.cloud.management_scope)
        with self._timings.part("looking for the job"):
            job = workspace.get("jobs", submission.name)
        if job is None:
            return submission.name, False
        if (job["properties"].get("properties") or {}).get(TOKEN_PROPERTY) == submission.token:
            return submission.name, True
        if submission.is_named:
            raise _taken(submission.name, workspace.place.name)
        # Somebody else's, of the same content and the same second.
        name = f"{submission.name}-{secrets.token_hex(3)}"
        replace(submission, name=name).write(self._folder.path)
        return name, False

    def _find_image(self) -> Manifest | None:
        if self._image is None:
            return None
        with self._timings.part("looking for the image"):
            return self._image.find()

    def _send(self) -> dict[str, Sent]:
        submission, bundle = self._submission, self._folder.bundle
        workspace, datastores = self._workspace, self._datastores
        self._session.sign_in.token(workspace.cloud.management_scope)
        parts: dict[str, BackgroundCall[Sent]] = {}
        if submission.snapshot is not None:
            snapshot = submission.snapshot
            earlier = EarlierSnapshots(self._folder.local, workspace.place)
            parts["snapshot"] = self._later(
                "snapshot",
                lambda: send_snapshot(
                    workspace, datastores, earlier, bundle / CODE_FOLDER, snapshot
                ),
            )
        if submission.environment is not None:
            digest, dockerfile = submission.environment, submission.dockerfile
            context = bundle / ENVIRONMENT_FOLDER
            parts["environment"] = self._later(
                "environment",
                lambda: send_environment(workspace, datastores, context, digest, dockerfile),
            )
        for name, path in submission.data.items():
            parts[f"input {name}"] = self._later(f"input {name}", self._sending_data(path))
        return {name: part.result() for name, part in parts.items()}

    def _sending_data(self, path: str) -> Callable[[], Sent]:
        return lambda: send_data(self._datastores, Path(path))

    def _later(self, name: str, call: Callable[[], Sent]) -> BackgroundCall[Sent]:
        def timed() -> Sent:
            with self._timings.part(name):
                return call()

        return BackgroundCall(timed)


def _taken(name: str, workspace: str) -> JobError:
    return JobError(
        name,
        f"{workspace} has a job of this name already, and it is another one",
        "Write another `--name`, or leave it out to get one made.",
    )


def _told(job: SubmittedJob, submission: Submission, connected: ConnectedWorkspace) -> str:
    place = connected.workspace.place
    lines = [
        f"{coloured(job.name, BOLD)} submitted to {place.name} in {place.resource_group} "
        f"({place.source}), signed in by {connected.sign_in.credential_name}"
    ]
    if job.was_there:
        lines.append("  The workspace has it already, from an earlier attempt. Nothing was sent.")
    facts = [(what, _cost(sent)) for what, sent in sorted(job.sent.items())]
    facts.append(("studio", job.link))
    if not submission.options.stream:
        facts.append(("follow it", f"./pants run :aml -- jobs stream {job.name}"))
    width = max(len(what) for what, _ in facts)
    return "\n".join([*lines, *(f"  {what:<{width}}  {text}" for what, text in facts)])


def _cost(sent: Sent) -> str:
    if sent.was_there:
        return "unchanged, nothing sent"
    if sent.pushed_to:
        return f"pushed to {sent.pushed_to} ({size_text(sent.size)} sent)"
    if not sent.copied:
        return f"{sent.files:,} file{'' if sent.files == 1 else 's'}, {size_text(sent.size)} sent"
    return (
        f"{sent.files:,} of {sent.files + sent.copied:,} files sent, {size_text(sent.size)}; "
        "the others were copied within storage"
    )

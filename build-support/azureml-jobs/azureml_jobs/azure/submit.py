"""Send a submission: what the job needs, then the job; and print what was done."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from azureml_jobs.azure import sdk
from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.image import ImageToPush
from azureml_jobs.azure.parallel import BackgroundCall
from azureml_jobs.azure.registry import Manifest
from azureml_jobs.azure.submission import Submission, SubmissionFolder
from azureml_jobs.azure.timings import Timings
from azureml_jobs.azure.upload import SentAsset, send_data, send_environment, send_snapshot
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.console import BOLD, coloured, print_warning, size_text
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.names import CODE_FOLDER, ENVIRONMENT_FOLDER

# Marks a job as made by one submission, so that it is found again and not mistaken for another.
TOKEN_PROPERTY = "azureml_jobs.submission"
_ADDRESS_PROPERTY = "azureml_jobs.address"
_SNAPSHOT_PROPERTY = "azureml_jobs.snapshot"


@dataclass(frozen=True)
class SubmittedJob:
    """`assets` are what the job uses, by their labels. `was_there`: so was the job itself."""

    name: str
    link: str
    assets: dict[str, SentAsset]
    was_there: bool = False


def submit(path: Path) -> int:
    """Send the submission in a folder; return 0 when the service has the job.

    With `--stream` the status is the job's own. Whatever fails leaves the submission for a later
    run, which continues it.
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
        workspace = ConnectedWorkspace(submission.workspace, submission.options.login)
        job = _Sender(folder, submission, workspace, timings).send()
        folder.remove()
    for warning in workspace.sign_in.warnings:
        print_warning(warning)
    print("\n".join(_report(job, submission, workspace)))
    if submission.options.timings:
        print("\n".join(["", *timings.lines()]))
    sys.stdout.flush()
    if submission.options.web:
        import webbrowser

        webbrowser.open(job.link)
    if submission.options.stream:
        from azureml_jobs.azure.stream import stream

        return stream(workspace, job.name, sys.stdout.buffer)
    return 0


class _Sender:
    def __init__(
        self,
        folder: SubmissionFolder,
        submission: Submission,
        workspace: ConnectedWorkspace,
        timings: Timings,
    ) -> None:
        self._folder = folder
        self._submission = submission
        self._workspace = workspace
        self._datastores = Datastores(workspace)
        self._timings = timings
        self._image = ImageToPush(workspace, submission.image) if submission.image else None

    def send(self) -> SubmittedJob:
        """Send what the job needs while azure-ai-ml is imported; then make the job."""
        found = BackgroundCall(self._find_job)
        sent = BackgroundCall(self._send_assets)
        image = BackgroundCall(self._find_image)
        with self._timings.part("import of azure-ai-ml"):
            sdk.import_sdk()
            sdk.hide_git_credentials(Path.cwd())
        name, was_there = found.result()
        if was_there:
            return SubmittedJob(name, self._workspace.studio_link(name), {}, was_there=True)
        assets = sent.result()
        if self._image is not None:
            known = image.result()
            with self._timings.part("image"):
                assets["image"] = self._image.send(known)
        return self._make_job(name, assets)

    def _make_job(self, name: str, assets: dict[str, SentAsset]) -> SubmittedJob:
        submission, workspace = self._submission, self._workspace
        snapshot = assets.get("snapshot")
        environment = assets.get("environment") or assets.get("image")
        properties = {TOKEN_PROPERTY: submission.token, _ADDRESS_PROPERTY: submission.address}
        if submission.snapshot:
            properties[_SNAPSHOT_PROPERTY] = submission.snapshot
        with self._timings.part("reading the job"):
            job = sdk.load(
                self._folder.job_file,
                name,
                snapshot.id if snapshot else None,
                environment.id if environment else None,
                {key: assets[f"input {key}"].id for key in submission.data},
                properties,
            )
        with self._timings.part("making the job"):
            made = sdk.create(job, workspace)
        if made.properties.get(TOKEN_PROPERTY) != submission.token:
            raise _name_taken(name, workspace)
        return SubmittedJob(name, made.link or workspace.studio_link(name), assets)

    def _find_job(self) -> tuple[str, bool]:
        """Return the job's name, and whether the service has it from an earlier attempt."""
        submission, workspace = self._submission, self._workspace
        with self._timings.part("signing in"):
            workspace.sign_in.token(workspace.cloud.management_scope)
        with self._timings.part("looking for the job"):
            job = workspace.get("jobs", submission.name)
        if job is None:
            return submission.name, False
        if (job["properties"].get("properties") or {}).get(TOKEN_PROPERTY) == submission.token:
            return submission.name, True
        if submission.is_named:
            raise _name_taken(submission.name, workspace)
        # Somebody else's, of the same content and the same second.
        name = f"{submission.name}-{secrets.token_hex(3)}"
        replace(submission, name=name).write(self._folder.path)
        return name, False

    def _find_image(self) -> Manifest | None:
        if self._image is None:
            return None
        with self._timings.part("looking for the image"):
            return self._image.find()

    def _send_assets(self) -> dict[str, SentAsset]:
        submission, bundle, workspace = self._submission, self._folder.bundle, self._workspace
        workspace.sign_in.token(workspace.cloud.management_scope)
        calls: dict[str, Callable[[], SentAsset]] = {}
        if submission.snapshot is not None:
            earlier = EarlierSnapshots(self._folder.local, workspace.config)
            code = bundle / CODE_FOLDER
            calls["snapshot"] = partial(
                send_snapshot, workspace, self._datastores, earlier, code, submission.snapshot
            )
        if submission.environment is not None:
            calls["environment"] = partial(
                send_environment,
                *(workspace, self._datastores, bundle / ENVIRONMENT_FOLDER),
                *(submission.environment, submission.dockerfile),
            )
        for name, path in submission.data.items():
            calls[f"input {name}"] = partial(send_data, self._datastores, Path(path))
        started = {
            label: BackgroundCall(partial(self._timed, label, call))
            for label, call in calls.items()
        }
        return {label: call.result() for label, call in started.items()}

    def _timed(self, label: str, call: Callable[[], SentAsset]) -> SentAsset:
        with self._timings.part(label):
            return call()


def _name_taken(name: str, workspace: ConnectedWorkspace) -> JobError:
    return JobError(
        name,
        f"{workspace.config.name} has another job of this name already",
        "Write another `--name`, or leave it out to get a generated one.",
    )


def _report(job: SubmittedJob, submission: Submission, workspace: ConnectedWorkspace) -> list[str]:
    config = workspace.config
    lines = [
        f"{coloured(job.name, BOLD)} submitted to {config.name} in {config.resource_group} "
        f"({config.source}), signed in by {workspace.sign_in.credential_name}"
    ]
    if job.was_there:
        lines.append("  The workspace has it already, from an earlier attempt. Nothing was sent.")
    facts = [(label, _cost(asset)) for label, asset in sorted(job.assets.items())]
    facts.append(("studio", job.link))
    if not submission.options.stream:
        facts.append(("follow it", f"./pants run :aml -- jobs stream {job.name}"))
    width = max(len(label) for label, _ in facts)
    return [*lines, *(f"  {label:<{width}}  {text}" for label, text in facts)]


def _cost(asset: SentAsset) -> str:
    if asset.was_there:
        return "unchanged, nothing sent"
    if asset.pushed_to:
        return f"pushed to {asset.pushed_to} ({size_text(asset.size)} sent)"
    if not asset.copied:
        ending = "" if asset.files == 1 else "s"
        return f"{asset.files:,} file{ending}, {size_text(asset.size)} sent"
    return (
        f"{asset.files:,} of {asset.files + asset.copied:,} files sent, {size_text(asset.size)}; "
        "the others were copied within storage"
    )

"""Send a submission: what the job needs, then the job; and print what was done."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from azureml_jobs.azure import sdk
from azureml_jobs.azure.send_assets import RECORD, AssetsToSend, Timings
from azureml_jobs.azure.submission import Submission, SubmissionFolder
from azureml_jobs.azure.turns import turn
from azureml_jobs.azure.upload import SentAsset
from azureml_jobs.azure.what_ran import write_record
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.console import BOLD, coloured, print_warning, size_text
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.bundle.names import JOB_FILE

# Marks a job as made by one submission, so that it is found again and not mistaken for another.
TOKEN_PROPERTY = "azureml_jobs.submission"
_ADDRESS_PROPERTY = "azureml_jobs.address"
_SNAPSHOT_PROPERTY = "azureml_jobs.snapshot"
_ENVIRONMENT_PROPERTY = "azureml_jobs.environment"


def submit(path: Path) -> int:
    """Send the submission in a folder; return 0 when the service has the job.

    With `--stream` the status is the job's own. Whatever fails leaves the submission for a later
    run, which continues it.
    """
    folder = SubmissionFolder(path)
    submission = folder.read()
    if submission is None:
        raise JobError(path.name, "there is no such submission", "Start the job again.")
    options = submission.options
    with folder.held() as is_ours, turn(folder.local / "turns"):
        if not is_ours:
            raise JobError(submission.name, "another process is sending it already")
        submission = replace(submission, is_started=True)
        submission.write(path)
        workspace = ConnectedWorkspace(submission.workspace, options.login)
        sender = _Sender(folder, submission, workspace)
        try:
            report = sender.send()
        except KeyboardInterrupt:
            print(sender.interrupted(), file=sys.stderr)
            raise
        folder.remove()
    for warning in workspace.sign_in.warnings:
        print_warning(warning)
    print("\n".join(report))
    if options.timings:
        print("\n".join(["", *sender.timings.lines()]))
    sys.stdout.flush()
    if options.web and sender.link:
        import webbrowser

        if not webbrowser.open(sender.link):
            print_warning(f"no browser could be opened here. The job is at {sender.link}")
    if options.stream and submission.is_job:
        from azureml_jobs.azure.stream import stream

        return stream(workspace, sender.submission.name, sys.stdout.buffer)
    return 0


class _Sender:
    """Sends a `submission`, whose name or version it may choose; `link` may be empty."""

    def __init__(
        self, folder: SubmissionFolder, submission: Submission, workspace: ConnectedWorkspace
    ) -> None:
        self._folder = folder
        self.submission = submission
        self._workspace = workspace
        self.link = ""
        self.timings = Timings()
        self._record = write_record(folder.bundle, folder.path / "record")
        self._assets = AssetsToSend(submission, folder, self._record, workspace, self.timings)
        self._is_making = False

    def interrupted(self) -> str:
        """Return what to say when Ctrl-C ended `send`: whether there may be a job now."""
        name, what = self.submission.shown_name, self.submission.file_kind
        if not self._is_making:
            return f"No {what} was made. The same command continues where this one ended."
        text = f"{name} may have been made: its request was under way. The same command finds it."
        if not self.submission.is_job:
            return text
        return f"{text}\nOr cancel it: ./pants run :aml -- jobs cancel {name}"

    def send(self) -> list[str]:
        """Send what is needed while azure-ai-ml is imported; then make the job.

        Returns the lines of a report.
        """
        found = BackgroundCall(self._find)
        sent = BackgroundCall(self._assets.send)
        images = BackgroundCall(self._assets.find_images)
        with self.timings.part("import of azure-ai-ml"):
            sdk.import_sdk()
            sdk.hide_git_credentials(Path.cwd())
        self.submission, was_there = found.result()
        assets: dict[str, SentAsset] = {}
        if not was_there:
            assets = {**sent.result(), **self._assets.send_images(images.result())}
            references = {label: asset.reference for label, asset in assets.items()}
            self._folder.place(self.submission, references)
            self.link = self._make(assets[RECORD].id)
        if self.submission.is_job:
            self.link = self.link or self._workspace.studio_link(self.submission.name)
        return self._report(assets)

    def _make(self, record: str) -> str:
        """Make the job, which names its record; return a link to it, which may be empty."""
        submission, workspace = self.submission, self._workspace
        marks = {
            TOKEN_PROPERTY: submission.token,
            _ADDRESS_PROPERTY: submission.address,
            _SNAPSHOT_PROPERTY: submission.snapshot,
            **({_ENVIRONMENT_PROPERTY: submission.environment} if submission.environment else {}),
            **self._record.marks(record),
        }
        with self.timings.part("reading the job"):
            entity = sdk.load(self._folder.bundle / JOB_FILE, submission, marks)
        self._is_making = True
        with self.timings.part("making the job"):
            link, made = sdk.create(entity, submission, workspace)
        token = made.get(TOKEN_PROPERTY)
        if submission.is_component:
            # azure-ai-ml drops the properties of most kinds.
            token = _token_of(workspace.get(*submission.path) or {})
        if token != submission.token:
            raise _name_taken(submission, workspace)
        return link

    def _report(self, assets: Mapping[str, SentAsset]) -> list[str]:
        """Return the lines of what was done; without `assets`, the workspace had it already."""
        submission, config = self.submission, self._workspace.config
        name, done = submission.shown_name, "submitted to" if submission.is_job else "registered in"
        lines = [
            f"{coloured(name, BOLD)} {done} {config.name} in {config.resource_group} "
            f"({config.source}), signed in by {self._workspace.sign_in.credential_name}"
        ]
        if not assets:
            there = "The workspace has it already, from an earlier attempt. Nothing was sent."
            lines.append(f"  {there}")
        facts, first = list[tuple[str, str]](), dict[str, str]()
        for label, asset in sorted(assets.items()):
            first_label = first.setdefault(asset.id, label)
            cost = _cost(asset) if first_label == label else f"that of {first_label}"
            facts.append((label, cost))
        if self.link:
            facts.append(("studio", self.link))
        if submission.is_job and not submission.options.stream:
            facts.append(("follow it", f"./pants run :aml -- jobs stream {name}"))
        width = max((len(label) for label, _ in facts), default=0)
        return [*lines, *(f"  {label:<{width}}  {text}" for label, text in facts)]

    def _find(self) -> tuple[Submission, bool]:
        """Return the submission with its name or version, and whether the service has it already.

        That is so after an attempt whose answer was lost.
        """
        submission, workspace = self.submission, self._workspace
        with self.timings.part("signing in"):
            workspace.sign_in.token(workspace.cloud.management_scope)
        with self.timings.part("looking for the job"):
            if submission.is_component and not submission.asset_version:
                submission = self._with_version(submission)
            there = workspace.get(*submission.path)
        if there is None:
            return submission, False
        if _token_of(there) == submission.token:
            return submission, True
        if not submission.is_job and not submission.is_component:
            # A schedule changes under its name.
            return submission, False
        if submission.is_named:
            raise _name_taken(submission, workspace)
        # Somebody else's, of the same content and the same second.
        submission = replace(submission, name=f"{submission.name}-{secrets.token_hex(3)}")
        submission.write(self._folder.path)
        return submission, False

    def _with_version(self, submission: Submission) -> Submission:
        """Return the component with the newest version if it is the same, otherwise the next."""
        container = self._workspace.get("components", submission.name) or {"properties": {}}
        versions = container["properties"]
        newest = replace(submission, asset_version=str(versions.get("latestVersion")))
        there = self._workspace.get(*newest.path)
        if there is not None and _token_of(there) == submission.token:
            return newest
        return replace(submission, asset_version=str(versions.get("nextVersion") or 1))


def _token_of(resource: Mapping[str, Any]) -> str:
    known = resource.get("properties") or {}
    marks = {**(known.get("tags") or {}), **(known.get("properties") or {})}
    return str(marks.get(TOKEN_PROPERTY))


def _name_taken(submission: Submission, workspace: ConnectedWorkspace) -> JobError:
    thing = "component of this version" if submission.is_component else "job of this name"
    remedy = "Write another `--name`, or leave it out to get a generated one."
    if submission.is_component:
        remedy = "Write another `version:`, or leave it out for the next one."
    what = f"{workspace.config.name} has another {thing} already"
    return JobError(submission.shown_name, what, remedy)


def _cost(asset: SentAsset) -> str:
    if asset.was_there:
        return "unchanged, nothing sent"
    if asset.pushed_to:
        return f"pushed to {asset.pushed_to}"
    if not asset.copied:
        ending = "" if asset.files == 1 else "s"
        return f"{asset.files:,} file{ending}, {size_text(asset.size)} sent"
    return (
        f"{asset.files:,} of {asset.files + asset.copied:,} files sent, {size_text(asset.size)}; "
        "the others were copied within storage"
    )

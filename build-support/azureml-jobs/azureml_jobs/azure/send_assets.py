"""Send what the documents of a submission name: code, environments, images, data.

An asset is known by its content: units that share it send it once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.image import ImageToPush
from azureml_jobs.azure.registry import Manifest
from azureml_jobs.azure.sent_record import SentRecord
from azureml_jobs.azure.submission import SentUnit, Submission, SubmissionFolder
from azureml_jobs.azure.timings import Timings
from azureml_jobs.azure.upload import SentAsset, send_data, send_environment, send_snapshot
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.bundle.names import CODE_FOLDER, ENVIRONMENT_FOLDER
from azureml_jobs.docker.pushable_image import PushableImage

# Each sends many files at once.
_AT_ONCE = 8
# The label of the record of what ran.
RECORD = "record"
# The content, and what sends it.
_Call = tuple[str, Callable[[], SentAsset]]


class AssetsToSend:
    """The assets of one submission, which are returned by their labels."""

    def __init__(
        self,
        submission: Submission,
        folder: SubmissionFolder,
        record: SentRecord,
        workspace: ConnectedWorkspace,
        timings: Timings,
    ) -> None:
        self._submission = submission
        self._folder = folder
        self._record = record
        self._workspace = workspace
        self._timings = timings
        self._datastores = Datastores(workspace)
        self._earlier = EarlierSnapshots(folder.local, workspace.config)
        self._turns = threading.Semaphore(_AT_ONCE)
        images = {unit.image for unit in submission.units if unit.image}
        self._images = {image: ImageToPush(workspace, image) for image in images}

    def send(self) -> dict[str, SentAsset]:
        """Send everything but images, several assets at once."""
        self._workspace.sign_in.token(self._workspace.cloud.management_scope)
        calls = {RECORD: self._snapshot_call(self._record.folder, self._record.digest, None)}
        for unit in self._submission.units:
            calls |= self._calls_of(unit)
        for data in self._submission.data:
            calls[data.label] = data.path, partial(send_data, self._datastores, Path(data.path))
        started: dict[str, BackgroundCall[SentAsset]] = {}
        for label, (content, call) in calls.items():
            if content not in started:
                started[content] = BackgroundCall(partial(self._timed, label, call))
        return {label: started[content].result() for label, (content, _) in calls.items()}

    def _calls_of(self, unit: SentUnit) -> dict[str, _Call]:
        bundle, calls = self._folder.bundle, dict[str, _Call]()
        if unit.snapshot is not None:
            code = bundle / CODE_FOLDER / unit.name
            calls[unit.snapshot_label] = self._snapshot_call(code, unit.snapshot, self._earlier)
        if unit.environment is not None and unit.image is None:
            calls[unit.environment_label] = f"{unit.environment} {unit.dockerfile}", partial(
                send_environment,
                *(self._workspace, self._datastores, bundle / ENVIRONMENT_FOLDER / unit.name),
                *(unit.environment, unit.dockerfile),
            )
        return calls

    def _snapshot_call(self, folder: Path, digest: str, earlier: EarlierSnapshots | None) -> _Call:
        known = (self._workspace, self._datastores, earlier)
        return f"code {digest}", partial(send_snapshot, *known, folder, digest)

    def find_images(self) -> dict[PushableImage, Manifest | None]:
        """Return what the registry has of the images. Any thread may ask."""
        found: dict[PushableImage, Manifest | None] = {}
        for image, to_push in self._images.items():
            with self._timings.part("looking for the image"):
                found[image] = to_push.find()
        return found

    def send_images(self, found: Mapping[PushableImage, Manifest | None]) -> dict[str, SentAsset]:
        """Push the images that were not found, one after the other, in the main thread."""
        sent: dict[PushableImage, SentAsset] = {}
        for image, to_push in self._images.items():
            with self._timings.part("image"):
                sent[image] = to_push.send(found[image])
        units = self._submission.units
        return {unit.environment_label: sent[unit.image] for unit in units if unit.image}

    def _timed(self, label: str, call: Callable[[], SentAsset]) -> SentAsset:
        with self._turns, self._timings.part(label):
            return call()

"""Send what the documents of a submission name: code, environments, images, data.

An asset is known by its content: parts that share it send it once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.registry import Registry
from azureml_jobs.azure.retries import Retries, patience_seconds
from azureml_jobs.azure.submission import Part, Submission, SubmissionFolder
from azureml_jobs.azure.upload import SentAsset, send_data, send_environment, send_snapshot
from azureml_jobs.azure.what_ran import SentRecord
from azureml_jobs.azure.workspace import ConnectedWorkspace, put_once
from azureml_jobs.base.console import table
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.bundle.names import CODE_FOLDER, ENVIRONMENT_FOLDER
from azureml_jobs.docker.engine import tag_image
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.docker.push import push
from azureml_jobs.docker.pushable_image import PushableImage

# Each sends many files at once.
_AT_ONCE = 8
# The label of the record of what ran.
RECORD = "record"
# The content, and what sends it.
_Call = tuple[str, Callable[[], SentAsset]]


class Timings:
    """How long the parts of a submission took, and when each began: some run at the same time."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._parts: list[tuple[str, float, float]] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._parts.append((name, begun - self._begun, time.monotonic() - begun))

    def lines(self) -> list[str]:
        rows = [
            (name, f"{at:.2f} s", f"{duration:.2f} s")
            for name, at, duration in sorted(self._parts, key=lambda part: part[1])
        ]
        rows.append(("in all", "", f"{time.monotonic() - self._begun:.2f} s"))
        return table(("part", "started", "duration"), rows, right=(1, 2))


@dataclass
class AssetsToSend:
    """The assets of one submission, which are returned by their labels."""

    _submission: Submission
    _folder: SubmissionFolder
    _record: SentRecord
    _workspace: ConnectedWorkspace
    _timings: Timings

    def __post_init__(self) -> None:
        self._datastores = Datastores(self._workspace)
        self._earlier = EarlierSnapshots(self._folder.local, self._workspace.config)
        self._turns = threading.Semaphore(_AT_ONCE)
        self._registry = Registry(self._workspace)

    def send(self) -> dict[str, SentAsset]:
        """Send everything but images, several assets at once."""
        self._workspace.sign_in.token(self._workspace.cloud.management_scope)
        calls = {RECORD: self._snapshot_call(self._record.folder, self._record.digest, None)}
        for part in self._submission.parts:
            if part.image is None:
                calls[part.label] = self._call_of(part)
        started: dict[str, BackgroundCall[SentAsset]] = {}
        for label, (content, call) in calls.items():
            if content not in started:
                started[content] = BackgroundCall(partial(self._timed, label, call))
        return {label: started[content].result() for label, (content, _) in calls.items()}

    def _call_of(self, part: Part) -> _Call:
        bundle = self._folder.bundle
        if part.kind == "input":
            return part.content, partial(send_data, self._datastores, Path(part.content))
        if part.kind == "snapshot":
            return self._snapshot_call(
                bundle / CODE_FOLDER / part.name, part.content, self._earlier
            )
        return f"{part.content} {part.dockerfile}", partial(
            send_environment,
            *(self._datastores, bundle / ENVIRONMENT_FOLDER / part.name),
            *(part.content, part.dockerfile),
        )

    def _snapshot_call(self, folder: Path, digest: str, earlier: EarlierSnapshots | None) -> _Call:
        return f"code {digest}", partial(send_snapshot, self._datastores, earlier, folder, digest)

    def find_images(self) -> dict[PushableImage, str | None]:
        """Return the digests that the images have in the registry. Any thread may ask."""
        found = {}
        for image in {part.image for part in self._submission.parts if part.image}:
            with self._timings.part("looking for the image"):
                found[image] = self._registry.find(image)
        return found

    def send_images(self, found: Mapping[PushableImage, str | None]) -> dict[str, SentAsset]:
        """Push the images that were not found, one after the other.

        Must be called in the main thread, which receives signals: Docker's credentials are removed
        however it ends.
        """
        sent = {}
        for image, digest in found.items():
            with self._timings.part("image"):
                sent[image] = self._send_image(image, digest)
        return {part.label: sent[part.image] for part in self._submission.parts if part.image}

    def _send_image(self, image: PushableImage, found: str | None) -> SentAsset:
        """Make the environment of an image, which is pushed unless its digest was `found`."""
        digest = found or _push(self._registry, image)
        server, workspace = self._registry.server, self._workspace
        reference = f"{server}/{image.repository}@{digest}"
        name = f"image-{hashlib.sha256(reference.encode()).hexdigest()[:12]}"
        path = ("environments", name, "versions", "1")
        if workspace.get(*path) is None:
            put_once(workspace, *path, properties={"image": reference})
        pushed_to = "" if found else f"{server}/{image.name}"
        return SentAsset(workspace.asset_id(*path), pushed_to=pushed_to)

    def _timed(self, label: str, call: Callable[[], SentAsset]) -> SentAsset:
        with self._turns, self._timings.part(label):
            return call()


def _push(registry: Registry, image: PushableImage) -> str:
    """Push an image; return its digest in the registry."""
    target = f"{registry.server}/{image.name}"
    registry.check_push(image.repository)
    token = registry.refresh_token()
    tag_image(image.id, target)
    print(f"Pushing {target}", file=sys.stderr, flush=True)
    with _signals_raise(), signed_in(registry.server, token, os.environ) as environment:
        _push_with_retries(target, environment)
    digest = registry.find(image)
    if digest is None:
        raise OutsideError(
            target, "Docker pushed the image, but the registry has another one of this name"
        )
    return digest


def _push_with_retries(target: str, environment: dict[str, str]) -> None:
    retries = Retries(patience_seconds())
    while (done := push(target, environment)).status:
        if done.layers:
            # There is progress, however slow.
            retries.restart()
        # Docker itself tries for some time before it gives up.
        if not retries.wait():
            raise OutsideError(
                target,
                f"the image could not be pushed: {done.last_line.rstrip('.')}",
                "Start the same command again: layers that have arrived are not sent again.",
            )


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let other signals end the process as Ctrl-C does, so that everything is removed."""

    def end(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    before = {
        each: signal.signal(each, end)
        for each in (signal.SIGTERM, signal.SIGHUP)
        # Under `nohup` it outlives the terminal.
        if signal.getsignal(each) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
